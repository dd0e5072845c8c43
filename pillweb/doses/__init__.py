"""Each planned intake, and what became of it."""
