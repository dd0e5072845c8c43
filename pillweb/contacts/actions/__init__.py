"""What happens to addresses, and what is sent there."""
