"""Who does not see a medicine."""

from collections.abc import Iterable

from wtforms import SelectMultipleField

from pillweb.base.i18n import lazy_gettext as _
from pillweb.sharing.rules import Helper
from pillweb.web.forms import Form, choices


class HidingForm(Form):
    """The helpers who do not see a medicine; nobody is told who was chosen."""

    hidden = SelectMultipleField(_("Who does not see it?"))

    def __init__(self, helpers: Iterable[Helper], hidden: Iterable[int]) -> None:
        helpers = list(helpers)
        kept = frozenset(hidden)
        chosen = [str(one.grant_id) for one in helpers if one.account_id in kept]
        super().__init__({"hidden": chosen})
        self.hidden.choices = choices(
            *((str(one.grant_id), one.name) for one in helpers)
        )
