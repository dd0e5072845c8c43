"""Guided set-up: from a name to a reminder that is known to arrive."""
