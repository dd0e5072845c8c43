"""What the URLs of reminders answer."""
