"""What people type about a link they share."""

from wtforms import BooleanField, RadioField

from pillweb.sharing.rules import LINK_DAYS, LINK_DAYS_DEFAULT
from pillweb.web.forms import Form, choices, text_field


class LinkForm(Form):
    """A new link: for whom, for how long, and how much it tells."""

    label = text_field("Who is it for?", missing="Write who the link is for.")
    days = RadioField(
        "How long does it work?",
        choices=choices(*((str(days), f"{days} days") for days in LINK_DAYS)),
        coerce=int,
        default=LINK_DAYS_DEFAULT,
    )
    show_names = BooleanField("Show the names of the medicines too")
