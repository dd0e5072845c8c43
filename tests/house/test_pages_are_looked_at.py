"""A browser looks at every page there is: at a new one too."""

import re

from tests.e2e.pages import PAGES
from tests.house.policy import POLICY

# No pages: files, states and what a script asks for.
NO_PAGES = re.compile(
    r"\.(js|json|pdf|webmanifest|zip)$|/(readyz|healthz|metrics)$|^/device/"
)
UNSEEN = {
    # The journeys open these by the links that lead there.
    "/",
    "/welcome",
    "/h/<token>",
    # Only of who is leaving: nothing else of theirs could be looked at then.
    "/patients/<int:patient_id>/leaving",
    "/account/leaving",
    "/invitation",
    "/a/<token>",
    "/mailbox/<key>",
    "/mailbox/<key>/<int:number>",
    "/shared/<int:link_id>/today",
    "/shared/<int:link_id>/calendar",
    # What a script or a phone asks for, and pictures.
    "/ics/<token>",
    "/live/<token>",
    "/patients/<int:patient_id>/sent",
    "/patients/<int:patient_id>/moments",
    "/patients/<int:patient_id>/pictures/<picture_key>/<size>",
    "/shared/<int:link_id>/pictures/<picture_key>/<size>",
    # Only where a provider of identities is set up.
    "/sign-in/oidc/back",
    "/account/sign-in-by",
    # Only where SMS are set up.
    "/sign-in/phone",
    # Only where a helper's code was just used.
    "/let-me-in",
    "/patients/<int:patient_id>/photo/<photo_key>",
    "/tablet/<int:place_id>/photo/<photo_key>",
    "/patients/<int:patient_id>/tablets/offers/<int:offer_id>",
    # A paper while it is printed, and a step of a set-up that is under way.
    "/patients/<int:patient_id>/papers/<int:paper_id>",
    "/patients/<int:patient_id>/set-up/<step>",
    "/patients/<int:patient_id>/medicines/<int:medication_id>/intake",
}


def test_a_browser_looks_at_every_page() -> None:
    made_up = {
        "draft": "/patients/1/medicines/drafts/1",
        "share": "/s/x",
        "brought": "/people/import/1",
    }
    numbers = dict.fromkeys(
        ("due", "taken", "difficult", "asked", "opened", "pinned"), 1
    )
    links = {name: f"/{name}/x" for name in "tmupseirldw"}
    facts = {**made_up, **numbers, "links": links}
    opened = [path.format(**facts).partition("?")[0] for _, path in PAGES]
    rules = {route.split()[1] for route in POLICY if route.startswith("GET ")}
    wanted = {
        rule: re.sub(r"<\w+>", "[^/]+", re.sub(r"<int:\w+>", r"\\d+", rule))
        for rule in rules - UNSEEN
        if not NO_PAGES.search(rule)
    }
    missing = {
        rule
        for rule, pattern in wanted.items()
        if not any(re.fullmatch(pattern, path) for path in opened)
    }
    assert missing == set()
