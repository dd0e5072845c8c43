"""What actions and queries raise; two catchers turn it into an answer."""


class PillWebError(Exception):
    """Base of every error that has a plain sentence for a person."""


class NotFoundError(PillWebError):
    """No such thing, or not for this viewer: the two look the same outside."""


class SignInRequiredError(PillWebError):
    """The page needs a signed-in account."""


class TabletEndedError(PillWebError):
    """This tablet was connected once, and is not any more."""


class ChooseFirstError(PillWebError):
    """This tablet is for several people, and nobody said who is here."""


class LeavingError(PillWebError):
    """Whoever is signed in asked to be forgotten: they can only take that back."""


class LinkGoneError(PillWebError):
    """A link is wrong, expired or revoked: the three look the same outside."""


class InvalidError(PillWebError):
    """A value cannot be accepted; the sentence says how to put it right."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class UnsafeSettingsError(PillWebError):
    """The settings would put people at risk; each sentence names one."""
