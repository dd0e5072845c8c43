"""Codes of digits that people read, say and type."""

import secrets


def new_code(digits: int) -> str:
    """Return a code of so many random digits: eight are 26 bits (ASVS 5.0, 6.5.4)."""
    return f"{secrets.randbelow(10**digits):0{digits}d}"


def spaced(code: str) -> str:
    """Return a code as it is easier to read.

    >>> spaced("01234567"), spaced("012345")
    ('0123 4567', '012 345')
    """
    half = len(code) // 2
    return f"{code[:half]} {code[half:]}"


def read_digits(typed: str) -> str:
    """Return the digits of what was typed or pasted, in whatever script.

    >>> read_digits(" 0123-4567 "), read_digits("٠١٢٣٤٥")
    ('01234567', '012345')
    """
    return "".join(str(int(char)) for char in typed if char.isdecimal())
