"""Whether reminders really leave, who is told when not, and what is done then."""
