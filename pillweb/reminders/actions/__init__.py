"""What happens to reminders: armed, put off, fired, resolved."""
