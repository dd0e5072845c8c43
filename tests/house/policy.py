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

POLICY: Mapping[str, frozenset[str]] = {
    "GET /": EVERYBODY,
    "GET /help": EVERYBODY,
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
    f"GET {PERSON}/calendar": VIEW,
    f"GET {PERSON}/days/<day>": VIEW,
    f"GET {PERSON}/medicines": VIEW,
    f"GET {PERSON}/medicines.fhir.json": MANAGE,
    f"GET {PERSON}/medicines/new": MANAGE,
    f"POST {PERSON}/medicines/new": MANAGE,
    f"GET {PERSON}/medicines/<int:medication_id>": MANAGE,
    f"POST {PERSON}/medicines/<int:medication_id>": MANAGE,
    f"POST {PERSON}/medicines/<int:medication_id>/stop": MANAGE,
    f"GET {PERSON}/sharing": MANAGE,
    f"POST {PERSON}/sharing": MANAGE,
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

_MEDICINE = {
    "name": "Ramipril",
    "form": "tablet",
    "amount": "1",
    "time_1": "8:00",
    "days": "every",
    "start_on": "2026-11-20",
}
# A good form, so that only the door can refuse.
FORMS: Mapping[str, Mapping[str, object]] = {
    "POST /people/new": {"who": "other", "name": "Ida", "zone": "Europe/London"},
    f"POST {PERSON}/medicines/new": _MEDICINE,
    f"POST {PERSON}/medicines/<int:medication_id>": _MEDICINE,
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
