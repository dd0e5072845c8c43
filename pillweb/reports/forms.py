"""What people type about who gets reports."""

from wtforms import BooleanField, RadioField, SelectField
from wtforms.validators import InputRequired

from pillweb.accounts.forms import email_field
from pillweb.base.i18n import LANGUAGES, speech
from pillweb.base.i18n import lazy_gettext as _
from pillweb.reports.rules import MONTHLY, NEVER, WEEKLY
from pillweb.web.forms import Form, choices, text_field


class OrderForm(Form):
    """A doctor, an address, in which language and how often."""

    doctor_name = text_field(
        _("Name of the doctor"), missing=_("Write the doctor's name.")
    )
    email = email_field(_("The doctor's e-mail address"))
    language = SelectField(
        _("In which language?"),
        choices=choices(*LANGUAGES.items()),
        default=lambda: speech().language,
    )
    how_often = RadioField(
        _("How often?"),
        choices=choices(
            (NEVER, _("Only when I ask")),
            (WEEKLY, _("Every Monday")),
            (MONTHLY, _("On the first day of every month")),
        ),
        default=NEVER,
    )
    risk_read = BooleanField(
        _("I know that e-mail can be read by others on its way, and want it sent so."),
        validators=[
            InputRequired(
                _("Please tick this first: the report is sent by plain e-mail.")
            )
        ],
    )
