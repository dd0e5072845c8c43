"""What is true of medicines without asking anybody."""

ORDINARY = "ordinary"

# The forms people name, with the unit in which each is counted.
FORMS = {
    "tablet": "tablet",
    "capsule": "capsule",
    "liquid": "ml",
    "drops": "drop",
    "inhaler": "puff",
    "injection": "unit",
    "patch": "patch",
    "cream": "application",
    "sachet": "sachet",
    "other": "dose",
}


def unit_of(form: str) -> str:
    """Return the unit in which a form is counted.

    >>> unit_of("inhaler")
    'puff'
    """
    return FORMS.get(form, "dose")
