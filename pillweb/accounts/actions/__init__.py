"""What happens to accounts: made, signed in, signed out."""
