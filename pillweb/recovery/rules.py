"""How long each step of letting somebody in again takes, and lasts."""

from datetime import timedelta

from pillweb.base.i18n import gettext_noop

# In which the person can stop it, who may have lost nothing but their phone for a day.
DELAY = timedelta(hours=24)
LASTS = timedelta(days=7)
CODE_LIFE = timedelta(minutes=10)
FINISH_LIFE = timedelta(minutes=30)
MOST_TRIES = 5
STARTS_A_WEEK = 3
A_WEEK = timedelta(days=7)
# The notice that somebody is about to be let in.
LET_IN = "let_in"

NOTHING, WAITING, READY = "nothing", "waiting", "ready"
STEP_WORDS = {
    WAITING: gettext_noop(
        "You have asked. This takes 24 hours, or until they say yes."
    ),
    READY: gettext_noop("You can let them in now."),
}
