"""What is true of reminders without asking anybody."""
