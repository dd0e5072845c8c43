"""What the pages of accounts answer, by subject."""
