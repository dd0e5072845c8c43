"""What is true of an alarm without asking anybody."""
