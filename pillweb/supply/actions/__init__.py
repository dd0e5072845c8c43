"""What happens to supplies."""
