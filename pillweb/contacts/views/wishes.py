"""How somebody wants to be told: one question a section, each with its own button."""

from collections.abc import Mapping
from dataclasses import asdict, replace

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import speech
from pillweb.contacts.actions.changing import keep_wishes
from pillweb.contacts.actions.reach import note_reach
from pillweb.contacts.forms import ChannelsForm, NamesForm, QuietForm
from pillweb.contacts.queries import contacts_of, wishes_of
from pillweb.contacts.rules import DOSES, OF_HELPERS, OF_PATIENTS, Wishes
from pillweb.contacts.views.owner import OWN, PATIENT, Opened, open_owner
from pillweb.contacts.views.points import label_of
from pillweb.patients.actions import choose_language
from pillweb.patients.forms import LanguageForm
from pillweb.patients.models import Patient
from pillweb.web.forms import Form
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session, wake_after_commit

wishes = Blueprint("wishes", __name__)

QUIET, NAMES, LANGUAGE = "quiet", "names", "language"


def _groups(opened: Opened) -> tuple[str, ...]:
    return OF_HELPERS if opened.for_helper else OF_PATIENTS


def _offered(opened: Opened) -> dict[str, str]:
    """Return the channels somebody has, by name, with their words."""
    mine = contacts_of(session(), opened.owner)
    return {one.channel: label_of(one.channel) for one in mine}


def _channels_form(opened: Opened, group: str, kept: Wishes) -> ChannelsForm:
    offered = _offered(opened)
    unwanted = kept.unwanted.get(group, ())
    wanted = [name for name in offered if name not in unwanted]
    return ChannelsForm(group, offered.items(), data={"channels": wanted})


def _form(opened: Opened, part: str, kept: Wishes) -> Form:
    """Return the form of one section, as it was answered before.

    Raises:
        NotFoundError: there is no such section.
    """
    form: Form
    if part in _groups(opened):
        form = _channels_form(opened, part, kept)
    elif part == QUIET:
        form = QuietForm(data=asdict(kept))
    elif part == NAMES and not opened.for_helper:
        form = NamesForm(data={"shows_names": kept.shows_names})
    elif part == LANGUAGE and not opened.for_helper:
        patient = session().get_one(Patient, opened.owner.number)
        known = patient.language or speech().language
        form = LanguageForm(data={"language": known})
    else:
        raise NotFoundError
    for field in form:
        field.id = f"{part}-{field.id}"
    return form


def _page(opened: Opened, forms: Mapping[str, Form]) -> dict[str, object]:
    return {
        "forms": forms,
        "groups": [part for part in forms if part in _groups(opened)],
        "action": opened.wishes_url,
        **opened.context,
    }


@wishes.get(f"{OWN}/wishes")
@wishes.get(f"{PATIENT}/contacts/wishes")
def show_wishes(patient_id: int | None = None) -> ResponseReturnValue:
    """Show how somebody wants to be told."""
    opened = open_owner(patient_id)
    kept = wishes_of(session(), opened.owner)
    groups = _groups(opened) if _offered(opened) else ()
    own = () if opened.for_helper else (NAMES, LANGUAGE)
    parts = (*groups, QUIET, *own)
    forms = {part: _form(opened, part, kept) for part in parts}
    return page("contacts/wishes.html", **_page(opened, forms))


@wishes.post(f"{OWN}/wishes")
@wishes.post(f"{PATIENT}/contacts/wishes")
def post_wishes(patient_id: int | None = None) -> ResponseReturnValue:
    """Keep one section; a wrong one is asked again alone."""
    opened = open_owner(patient_id)
    kept = wishes_of(session(), opened.owner)
    part = request.form.get("part", "")
    form = _form(opened, part, kept)
    if not form.validate():
        return bad_form("contacts/wishes.html", **_page(opened, {part: form}))
    if isinstance(form, LanguageForm):
        choose_language(session(), opened.owner.number, language=form.language.data)
    else:
        keep_wishes(session(), opened.owner, _wished(opened, form, kept))
        if opened.owner.patient_id is not None and part == DOSES:
            note_reach(session(), opened.owner.patient_id, now=now())
            wake_after_commit("deliver")
    return go(opened.wishes_url, notice=_("Saved."))


def _wished(opened: Opened, form: Form, kept: Wishes) -> Wishes:
    if isinstance(form, ChannelsForm):
        # Of a channel they do not have now they keep what they once said.
        offered = _offered(opened)
        others = set(kept.unwanted.get(form.group, ())) - offered.keys()
        unwanted = others | (offered.keys() - set(form.channels.data or ()))
        return replace(kept, unwanted={**kept.unwanted, form.group: sorted(unwanted)})
    return replace(kept, **form.data)
