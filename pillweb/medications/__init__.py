"""What is taken."""
