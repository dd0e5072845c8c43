"""Questions about reminders."""
