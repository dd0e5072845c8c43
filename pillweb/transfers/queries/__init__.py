"""Questions about what is taken out."""
