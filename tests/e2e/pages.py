"""Every page there is, who opens it, and what must hold on each."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pillweb.base.clock import now
from pillweb.setup import rules as setup_rules

if TYPE_CHECKING:
    from playwright.sync_api import Page

LOOKS = Path(__file__).with_name("looks.js").read_text("utf-8")
ROSA = "/patients/1"
SOON = now().date() + timedelta(days=7)
STEPS = ("", *(f"/{step}" for step in setup_rules.STEPS))
QUESTIONS = (
    "",
    "/0/medicine",
    "/0/more",
    "/0/how",
    "/0/times",
    "/0/days",
    "/0/dates",
    "/1/steps",
    "/2/interval",
    "/3/needed",
    "/4/once",
    "/0/text",
)
# The main pages: what every change is tried on, and what pictures are made of.
MAIN = [
    ("", "/sign-in"),
    ("", "/help"),
    ("", "/look"),
    ("rosa", f"{ROSA}/today"),
    ("rosa", f"{ROSA}/calendar"),
    ("rosa", f"{ROSA}/medicines"),
    ("rosa", f"{ROSA}/supply"),
    ("marta", "/patients/{difficult}/today"),
    ("marta", "{draft}/0/times"),
]
PAGES = [
    *MAIN,
    ("", "/sign-up"),
    ("", "/sign-in/password"),
    ("", "/sign-in/code"),
    ("", "/sign-in/printed-code"),
    ("", "/sign-in/helped"),
    ("rosa", "/sign-in/again"),
    ("", "/forgotten"),
    ("", "/design"),
    ("", "/mailbox"),
    ("", "/nowhere"),
    ("", "/s/wrong"),
    ("", "{share}"),
    *(("", f"{{links[{name}]}}") for name in "tmupseirldw"),
    ("", "/pair"),
    ("faces", "/tablet"),
    ("faces", "/tablet/{pinned}"),
    ("hers", f"{ROSA}/today"),
    ("hers", "/tablet/leave"),
    ("rosa", f"{ROSA}/tablets"),
    ("rosa", f"{ROSA}/tablets/1"),
    ("rosa", f"{ROSA}/tablets/1/pin"),
    ("rosa", f"{ROSA}/photo"),
    ("rosa", "/demo"),
    ("rosa", "/people/new"),
    ("rosa", f"{ROSA}/days/{now().date()}"),
    ("rosa", f"{ROSA}/messages"),
    ("rosa", "/admin/messages"),
    ("rosa", "/admin/backups"),
    ("rosa", f"{ROSA}/doses/{{due}}/amount"),
    ("rosa", f"{ROSA}/doses/{{due}}/skip"),
    ("rosa", f"{ROSA}/doses/{{due}}/missed"),
    ("rosa", f"{ROSA}/doses/{{taken}}/again"),
    ("rosa", f"{ROSA}/later"),
    ("rosa", f"{ROSA}/medicines/5/too-much"),
    ("rosa", f"{ROSA}/medicines/5/looks"),
    ("rosa", f"{ROSA}/papers/week"),
    ("rosa", f"{ROSA}/papers/card"),
    ("rosa", f"{ROSA}/set-up"),
    ("rosa", f"{ROSA}/medicines/new"),
    ("rosa", f"{ROSA}/medicines/import"),
    ("marta", "/patients/{difficult}/medicines/import"),
    ("rosa", f"{ROSA}/medicines/5"),
    ("rosa", f"{ROSA}/medicines/5/looks"),
    ("rosa", f"{ROSA}/supply/2"),
    ("rosa", f"{ROSA}/supply/2/received"),
    ("rosa", f"{ROSA}/supply/2/counted"),
    ("rosa", f"{ROSA}/supply/2/gone"),
    ("rosa", f"{ROSA}/supply/2/refill"),
    ("rosa", f"{ROSA}/supply/pack?from={SOON}&to={SOON}"),
    ("rosa", f"{ROSA}/medicines/5/stop"),
    ("rosa", f"{ROSA}/medicines/5/pause"),
    ("rosa", f"{ROSA}/medicines/5/history"),
    ("rosa", f"{ROSA}/medicines/5/who-sees"),
    ("rosa", f"{ROSA}/medicines/5/ladder"),
    *(("marta", f"{{draft}}{question}") for question in QUESTIONS),
    *(("marta", f"/patients/{{difficult}}/set-up{step}") for step in STEPS),
    ("rosa", f"{ROSA}/meals"),
    ("rosa", f"{ROSA}/travel"),
    ("rosa", f"{ROSA}/access"),
    ("rosa", f"{ROSA}/access/before"),
    ("rosa", f"{ROSA}/export"),
    ("marta", "/people/import"),
    ("marta", "{brought}"),
    ("rosa", f"{ROSA}/sharing"),
    ("rosa", f"{ROSA}/sharing/for-now"),
    ("rosa", f"{ROSA}/agreed"),
    ("rosa", f"{ROSA}/leave"),
    ("rosa", "/account/agreed"),
    ("rosa", "/account/leave"),
    ("rosa", "/account/name"),
    ("rosa", f"{ROSA}/sharing/helpers/2"),
    ("rosa", f"{ROSA}/sharing/people/2"),
    ("rosa", f"{ROSA}/sharing/people/2/made"),
    ("rosa", f"{ROSA}/sharing/invite"),
    ("rosa", f"{ROSA}/sharing/requests/{{asked}}"),
    ("rosa", f"{ROSA}/sharing/links"),
    ("rosa", f"{ROSA}/sharing/links/{{opened}}"),
    ("rosa", "/ask"),
    ("rosa", f"{ROSA}/contacts"),
    ("rosa", f"{ROSA}/contacts/new"),
    ("rosa", f"{ROSA}/contacts/new/email"),
    ("rosa", f"{ROSA}/contacts/new/webpush"),
    ("rosa", f"{ROSA}/contacts/1/remove"),
    ("rosa", f"{ROSA}/contacts/wishes"),
    ("marta", "/patients/{difficult}/contacts"),
    ("marta", "/account/contacts"),
    ("marta", "/account/contacts/new"),
    ("marta", "/account/contacts/new/email"),
    ("marta", "/account/contacts/2/remove"),
    ("marta", "/account/wishes"),
    ("marta", "/account/sessions"),
    ("marta", "/account/data"),
    ("rosa", "/account/sessions/1"),
    ("rosa", "/account/sign-in"),
    ("marta", "/account/sign-in"),
    ("marta", "/account/email"),
    ("marta", "/account/password"),
    ("marta", "/account/password/new"),
    ("marta", "/account/passkeys/new"),
    ("rosa", "/account/passkeys/1"),
    ("rosa", "/account/passkeys/1/remove"),
    ("rosa", "/account/printed-codes"),
    ("rosa", "/account/let-in"),
    ("rosa", "/let-in"),
    ("rosa", f"{ROSA}/calendar-feed"),
    ("rosa", f"{ROSA}/reports"),
    ("rosa", f"{ROSA}/reports/now"),
    ("marta", "/people"),
    ("marta", "/patients/{difficult}/calendar"),
    ("marta", "/patients/{difficult}/medicines"),
    ("marta", "/patients/{difficult}/supply"),
    ("marta", "/patients/{difficult}/reports/now"),
]
PAGES = list(dict.fromkeys(PAGES))
# For a parametrized test: each page, the main ones also in the quick part.
EACH = [
    pytest.param(*page, marks=pytest.mark.quick if page in MAIN else ())
    for page in PAGES
]


def breaches(page: "Page") -> list[str]:
    """Return what axe finds against WCAG 2.2 AA, and against contrast of 7:1."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - it may lack

    stricter = {
        "color-contrast-enhanced": {"enabled": True},
        "target-size": {"enabled": True},
    }
    found = Axe().run(page, options={"resultTypes": ["violations"], "rules": stricter})
    return [
        f"{violation['id']}: {node['target']}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


def faults(page: "Page") -> list[str]:
    """Return what is wrong with the page that is open."""
    looks: list[str] = page.evaluate(LOOKS)
    return looks + breaches(page)
