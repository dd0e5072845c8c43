"""Who may open which door: one line for each method of each route.

A route that is not here fails the tests. It says who may with Rosa's own ids;
with Bruno's ids Eve may what Rosa may with hers, and with mixed ids nobody may.
"""

from collections.abc import Mapping

from tests.house.cast import CAST, LINK

NO_ONE: frozenset[str] = frozenset()
EVERYBODY = frozenset(CAST)
SIGNED_IN = frozenset({"rosa", "marta", "luis", "nora", "eve"})
VIEW = frozenset({"rosa", "marta", "luis", "nora"})
MARK = frozenset({"rosa", "marta", "luis"})
MANAGE = frozenset({"rosa", "marta"})
LINK_HOLDER = frozenset({LINK})
PERSON = "/patients/<int:patient_id>"
SUPPLY = f"{PERSON}/supply/<int:medication_id>"
DRAFT = f"{PERSON}/medicines/drafts/<int:draft_id>"

POLICY: Mapping[str, frozenset[str]] = {
    "GET /": EVERYBODY,
    "GET /help": EVERYBODY,
    "GET /look": EVERYBODY,
    "POST /look": EVERYBODY,
    "GET /design": EVERYBODY,
    "GET /sw.js": EVERYBODY,
    "GET /app.webmanifest": EVERYBODY,
    "GET /device/key": EVERYBODY,
    "GET /device/words": EVERYBODY,
    "GET /healthz": EVERYBODY,
    "GET /readyz": EVERYBODY,
    # Only while there is no account: the first visitor makes it.
    "GET /welcome": EVERYBODY,
    "POST /welcome": NO_ONE,
    "POST /welcome/demo": NO_ONE,
    # Only for the demo family, whose addresses two of the cast have.
    "GET /demo": MANAGE,
    "GET /people": SIGNED_IN,
    "GET /people/new": SIGNED_IN,
    "POST /people/new": SIGNED_IN,
    f"GET {PERSON}/today": VIEW,
    f"POST {PERSON}/today": MARK,
    f"POST {PERSON}/doses/<int:dose_id>/take": MARK,
    f"POST {PERSON}/doses/<int:dose_id>/undo": MARK,
    f"POST {PERSON}/doses/<int:dose_id>/replay": MARK,
    f"GET {PERSON}/sent": VIEW,
    f"GET {PERSON}/moments": VIEW,
    f"GET {PERSON}/doses/<int:dose_id>/again": MARK,
    f"POST {PERSON}/doses/<int:dose_id>/again": MARK,
    f"GET {PERSON}/doses/<int:dose_id>/amount": MARK,
    f"POST {PERSON}/doses/<int:dose_id>/amount": MARK,
    f"GET {PERSON}/doses/<int:dose_id>/missed": VIEW,
    f"GET {PERSON}/doses/<int:dose_id>/skip": MARK,
    f"POST {PERSON}/doses/<int:dose_id>/skip": MARK,
    f"POST {PERSON}/undo": MARK,
    f"GET {PERSON}/later": MARK,
    f"POST {PERSON}/later": MARK,
    f"GET {PERSON}/medicines/<int:medication_id>/intake": MARK,
    f"POST {PERSON}/medicines/<int:medication_id>/intake": MARK,
    f"GET {PERSON}/medicines/<int:medication_id>/too-much": MARK,
    f"POST {PERSON}/intakes/<int:intake_id>/undo": MARK,
    f"GET {PERSON}/calendar": VIEW,
    f"GET {PERSON}/days/<day>": VIEW,
    f"GET {PERSON}/medicines": VIEW,
    f"GET {PERSON}/medicines.fhir.json": MANAGE,
    f"GET {PERSON}/medicines/new": MANAGE,
    f"POST {PERSON}/medicines/new": MANAGE,
    f"GET {PERSON}/medicines/<int:medication_id>": MANAGE,
    f"POST {PERSON}/medicines/<int:medication_id>": MANAGE,
    f"GET {PERSON}/medicines/<int:medication_id>/stop": MANAGE,
    f"POST {PERSON}/medicines/<int:medication_id>/stop": MANAGE,
    f"GET {PERSON}/medicines/<int:medication_id>/pause": MANAGE,
    f"POST {PERSON}/medicines/<int:medication_id>/pause": MANAGE,
    f"POST {PERSON}/medicines/<int:medication_id>/resume": MANAGE,
    f"POST {PERSON}/medicines/<int:medication_id>/change": MANAGE,
    f"GET {PERSON}/medicines/<int:medication_id>/history": VIEW,
    f"GET {PERSON}/medicines/import": MANAGE,
    f"POST {PERSON}/medicines/import": MANAGE,
    f"POST {DRAFT}/belongs/<int:medication_id>": MANAGE,
    f"GET {DRAFT}": MANAGE,
    f"POST {DRAFT}": MANAGE,
    f"GET {DRAFT}/<int:part>/<question>": MANAGE,
    f"POST {DRAFT}/<int:part>/<question>": MANAGE,
    f"POST {DRAFT}/parts": MANAGE,
    f"POST {DRAFT}/<int:part>/remove": MANAGE,
    f"POST {DRAFT}/throw-away": MANAGE,
    f"GET {PERSON}/meals": MANAGE,
    f"POST {PERSON}/meals": MANAGE,
    f"GET {PERSON}/travel": MANAGE,
    f"POST {PERSON}/travel": MANAGE,
    f"POST {PERSON}/travel/<int:change_id>/cancel": MANAGE,
    f"GET {PERSON}/supply": VIEW,
    f"GET {PERSON}/supply/pack": VIEW,
    f"GET {SUPPLY}": VIEW,
    f"GET {SUPPLY}/received": MARK,
    f"POST {SUPPLY}/received": MARK,
    f"GET {SUPPLY}/counted": MARK,
    f"POST {SUPPLY}/counted": MARK,
    f"GET {SUPPLY}/gone": MARK,
    f"POST {SUPPLY}/gone": MARK,
    f"GET {SUPPLY}/refill": MANAGE,
    f"POST {SUPPLY}/refill": MANAGE,
    f"GET {PERSON}/sharing": MANAGE,
    f"POST {PERSON}/sharing": MANAGE,
    f"POST {PERSON}/sharing/alerts": MANAGE,
    f"POST {PERSON}/sharing/<int:link_id>/revoke": MANAGE,
    f"GET {PERSON}/reports": MANAGE,
    f"POST {PERSON}/reports": MANAGE,
    f"POST {PERSON}/reports/<int:order_id>/send": MANAGE,
    f"POST {PERSON}/reports/<int:order_id>/end": MANAGE,
    f"GET {PERSON}/reports/now": MANAGE,
    f"GET {PERSON}/reports/<int:report_id>.pdf": MANAGE,
    # Opened in this browser by the link's own button.
    "GET /shared/<int:link_id>/today": LINK_HOLDER,
    "GET /shared/<int:link_id>/calendar": LINK_HOLDER,
    # The secret in the address is the permission.
    "GET /s/<token>": EVERYBODY,
    "POST /s/<token>": EVERYBODY,
    "GET /t/<token>": EVERYBODY,
    "POST /t/<token>": EVERYBODY,
    "POST /t/<token>/undo": EVERYBODY,
    "GET /a/<token>": EVERYBODY,
    "POST /a/<token>": EVERYBODY,
    "GET /sign-in": EVERYBODY,
    "POST /sign-in": EVERYBODY,
    "POST /sign-out": EVERYBODY,
    "GET /sign-up": EVERYBODY,
    "POST /sign-up": EVERYBODY,
    "GET /forgotten": EVERYBODY,
    "POST /forgotten": EVERYBODY,
    # Open only where nobody but this machine's own people can come.
    "GET /mailbox": EVERYBODY,
    "GET /mailbox/<key>": EVERYBODY,
    "GET /mailbox/<key>/<int:number>": EVERYBODY,
}

_MEDICINE = {"name": "Ramipril", "form": "tablet"}
# A good form, so that only the door can refuse.
FORMS: Mapping[str, Mapping[str, object]] = {
    "POST /look": {"size": "24"},
    "POST /people/new": {"who": "other", "name": "Ida", "zone": "Europe/London"},
    f"POST {PERSON}/medicines/new": _MEDICINE,
    f"POST {PERSON}/medicines/<int:medication_id>": _MEDICINE,
    f"POST {PERSON}/medicines/<int:medication_id>/stop": {"why": "too much"},
    f"POST {PERSON}/medicines/<int:medication_id>/pause": {"start_on": "2026-11-20"},
    f"POST {PERSON}/medicines/import": {"text": '{"resourceType": "Bundle"}'},
    f"POST {DRAFT}": {},
    f"POST {DRAFT}/<int:part>/<question>": _MEDICINE,
    f"POST {DRAFT}/<int:part>/remove": {"parts": "1"},
    f"POST {PERSON}/meals": {
        "wake": "7am",
        "breakfast": "8am",
        "lunch": "12.30pm",
        "dinner": "6pm",
        "bedtime": "10pm",
    },
    f"POST {PERSON}/travel": {
        "why": "travel",
        "zone": "Asia/Tokyo",
        "when": "now",
        "decided": "y",
    },
    f"POST {PERSON}/doses/<int:dose_id>/amount": {"amount": "1"},
    f"POST {PERSON}/doses/<int:dose_id>/replay": {
        "key": "0123456789abcdef",
        "deed": "take",
        "ago_ms": "0",
    },
    f"POST {PERSON}/doses/<int:dose_id>/skip": {"reason": "unwell"},
    f"POST {PERSON}/later": {"minutes": "15"},
    f"POST {SUPPLY}/received": {"amount": "28"},
    f"POST {SUPPLY}/counted": {"amount": "27 1/2"},
    f"POST {SUPPLY}/gone": {"amount": "2", "cause": "lost"},
    f"POST {SUPPLY}/refill": {"lead_days": "3", "fetcher": "patient"},
    f"POST {PERSON}/sharing": {"label": "Ann", "days": "30"},
    f"POST {PERSON}/reports": {
        "doctor_name": "Dr Chen",
        "email": "chen@clinic.example",
        "how_often": "never",
        "risk_read": "y",
    },
    "POST /a/<token>": {"password": "correct horse battery 7"},
    "POST /sign-up": {"name": "Ann", "email": "ann@family.example"},
    "POST /forgotten": {"email": "marta@family.example"},
}
