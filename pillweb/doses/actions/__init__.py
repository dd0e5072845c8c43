"""What happens to doses."""
