"""Pages about what is left of each medicine."""
