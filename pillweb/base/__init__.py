"""What three features need and what knows none of them."""
