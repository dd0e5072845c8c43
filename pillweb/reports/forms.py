"""What people type about who gets reports."""

from wtforms import BooleanField, RadioField
from wtforms.validators import InputRequired

from pillweb.accounts.forms import email_field
from pillweb.reports.rules import MONTHLY, NEVER, WEEKLY
from pillweb.web.forms import Form, choices, text_field


class OrderForm(Form):
    """A doctor, an address, and how often."""

    doctor_name = text_field("Name of the doctor", missing="Write the doctor's name.")
    email = email_field("The doctor's e-mail address")
    how_often = RadioField(
        "How often?",
        choices=choices(
            (NEVER, "Only when I ask"),
            (WEEKLY, "Every Monday"),
            (MONTHLY, "On the first day of every month"),
        ),
        default=NEVER,
    )
    risk_read = BooleanField(
        "I know that e-mail can be read by others on its way, and want it sent so.",
        validators=[
            InputRequired("Please tick this first: the report is sent by plain e-mail.")
        ],
    )
