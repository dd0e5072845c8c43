"""The app as a browser test or a measurement asks it: faster than any account may."""

from pillweb.web import limits

limits.RATES.update(dict.fromkeys(limits.RATES, "1000000 per second"))

from app import app  # noqa: E402 - the limits come first

__all__ = ["app"]
