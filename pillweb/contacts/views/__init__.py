"""What the pages of being reached answer, by subject."""
