"""What people type about a calendar of their phone."""

from wtforms import BooleanField

from pillweb.base.i18n import lazy_gettext as _
from pillweb.web.forms import Form, text_field


class FeedForm(Form):
    """A new calendar: for which phone, and how much it tells."""

    label = text_field(_("Which phone is it for?"), missing=_("Write whose phone."))
    shows_names = BooleanField(_("Show the names of the medicines too"))
