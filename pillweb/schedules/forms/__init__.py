"""What people type about a medicine and when it is taken."""

from pillweb.schedules.forms.reading import read_amount, read_time

__all__ = ["read_amount", "read_time"]
