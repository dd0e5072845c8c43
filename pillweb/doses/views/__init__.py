"""What the pages of doses answer, by subject."""
