"""Whose contacts a page is about: a patient's, or those of the account that looks."""

from dataclasses import dataclass

from flask import request

from pillweb.accounts.models import Account
from pillweb.base.clock import now
from pillweb.base.i18n import speech
from pillweb.contacts.queries import accounts_to_tell, patients_to_tell
from pillweb.contacts.rules import BROWSER, OPEN_PAGE, Owner, Person
from pillweb.patients.queries import zone_at
from pillweb.sharing.queries.doors import open_door, patients_of
from pillweb.sharing.rules import Level, Nav, nav_of
from pillweb.web.transaction import session
from pillweb.web.viewer import current_viewer, signed_in

OWN = "/account"
PATIENT = "/patients/<int:patient_id>"


@dataclass(frozen=True, slots=True)
class Opened:
    """An owner that the viewer may manage; `who` is empty where it is the viewer."""

    owner: Owner
    nav: Nav
    url: str
    wishes_url: str
    zone: str
    who: str

    @property
    def for_helper(self) -> bool:
        """Whether messages about others go there, not reminders."""
        return self.owner.account_id is not None

    @property
    def context(self) -> dict[str, object]:
        """What every page of an owner is told."""
        return {
            "nav": self.nav,
            "url": self.url,
            "wishes_url": self.wishes_url,
            "who": self.who,
            "for_helper": self.for_helper,
        }


def open_owner(patient_id: int | None) -> Opened:
    """Return a patient this account manages, or the account itself for no id.

    Raises:
        NotFoundError: no such patient, or not for this viewer.
    """
    viewer = signed_in()
    if patient_id is None:
        return Opened(
            owner=Owner(account_id=viewer.account_id),
            nav=Nav(),
            url=f"{OWN}/contacts",
            wishes_url=f"{OWN}/wishes",
            zone=_zone_of_account(),
            who="",
        )
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    return Opened(
        owner=Owner(patient_id=patient_id),
        nav=nav_of(door),
        url=f"{door.base_url}/contacts",
        wishes_url=f"{door.base_url}/contacts/wishes",
        zone=door.zone,
        who="" if door.is_self else door.patient_name,
    )


def goes_to_oneself() -> bool:
    """Say whether an address that is being added is of who is signed in.

    It is where they sign in by it, or where it is the browser they sit at.
    """
    viewer = current_viewer()
    channel = (request.view_args or {}).get("channel", "email")
    if viewer is None or channel != "email":
        return channel in {BROWSER, OPEN_PAGE}
    typed = request.form.get("address") or request.form.get("email", "")
    return typed.strip().casefold() == viewer.email.casefold()


def _zone_of_account() -> str:
    """Return the clock an account is told times by: that of who they came for first."""
    mine = patients_of(session(), signed_in())
    return zone_at(session(), mine[0][0], at=now()) if mine else "UTC"


def person_of(opened: Opened) -> Person:
    """Return how the owner is told."""
    who = opened.owner.number
    if not opened.for_helper:
        return patients_to_tell(session(), [who], now=now())[who]
    language = speech().language
    return accounts_to_tell(
        session(), [who], zone=opened.zone, language=language, now=now()
    )[who]


def sign_in_email(opened: Opened) -> str:
    """Return the address the owner signs in with; empty for a patient."""
    if opened.owner.account_id is None:
        return ""
    return session().get_one(Account, opened.owner.account_id).email
