"""What is true of supply without asking anybody."""
