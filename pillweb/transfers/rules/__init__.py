"""What is true of such files."""
