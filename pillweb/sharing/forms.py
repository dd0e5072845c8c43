"""What people type about a link they share."""

from collections.abc import Mapping

from wtforms import BooleanField, RadioField

from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.i18n import ngettext
from pillweb.sharing.rules import LINK_DAYS, LINK_DAYS_DEFAULT
from pillweb.web.forms import Form, choices, text_field


class LinkForm(Form):
    """A new link: for whom, for how long, and how much it tells."""

    label = text_field(_("Who is it for?"), missing=_("Write who the link is for."))
    days = RadioField(
        _("How long does it work?"),
        coerce=int,
        default=LINK_DAYS_DEFAULT,
    )
    show_names = BooleanField(_("Show the names of the medicines too"))

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
        self.days.choices = choices(
            *(
                (str(days), ngettext("%(num)s day", "%(num)s days", days))
                for days in LINK_DAYS
            )
        )
