"""What is done where reminders did not leave."""
