"""What people type to invite somebody, and to ask for access."""

from collections.abc import Mapping, Sequence
from datetime import date

from wtforms import RadioField, StringField, ValidationError

from pillweb.base.clean import clean_text
from pillweb.base.errors import InvalidError
from pillweb.base.i18n import gettext
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.zones import Zone
from pillweb.channels.registry import Channel
from pillweb.invitations.rules import BY_HAND, OWN_ROLE
from pillweb.sharing.forms import AccessForm
from pillweb.sharing.rules import (
    CAREGIVER,
    OWN_TERMS,
    ROLES,
    SELF,
    USUAL,
    Terms,
)
from pillweb.web.forms import Form, at_most, choices, said, text_field

LONGEST_ADDRESS = 320


class InviteForm(AccessForm):
    """Whom to invite, as what, and how the invitation gets there."""

    label = text_field(_("Who is it for?"), missing=_("Write who it is for."))
    role = RadioField(_("Who are they?"), default=CAREGIVER)
    how = RadioField(_("How does the invitation get there?"), default="email")
    address = StringField(
        _("The address or the number"), [at_most(LONGEST_ADDRESS)], [clean_text]
    )

    def __init__(
        self,
        today: date,
        ways: Sequence[Channel],
        *,
        may_be_own: bool,
        data: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(today, {"sees": sorted(USUAL[CAREGIVER]), **(data or {})})
        self.ways = {channel.NAME: channel for channel in ways}
        roles = {**ROLES, **({SELF: OWN_ROLE} if may_be_own else {})}
        self.role.choices = choices(
            *((role, gettext(words)) for role, words in roles.items())
        )
        self.how.choices = choices(
            *((name, gettext(way.LABEL)) for name, way in self.ways.items()),
            (BY_HAND, gettext("I show or send it myself")),
        )

    def validate_address(self, field: StringField) -> None:
        """Refuse what the channel cannot write to, in its own words."""
        way = self.ways.get(self.how.data)
        if way is None:
            field.data = ""
            return
        try:
            field.data = way.read_address(said(field))
        except InvalidError as error:
            raise ValidationError(str(error)) from None

    def offered(self, place: Zone) -> Terms:
        """Return what is offered; to the patient, everything for good."""
        if self.role.data == SELF:
            return OWN_TERMS
        return self.terms(self.role.data, place)


class AskForm(Form):
    """Whom somebody asks for access, and as what."""

    code = text_field(
        _("The code"),
        missing=_("Write the code."),
        longest=20,
        render_kw={"autocomplete": "off", "autocapitalize": "characters"},
    )
    role = RadioField(_("Who are you?"), default="doctor")

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
        self.role.choices = choices(
            *((role, gettext(words)) for role, words in ROLES.items())
        )
