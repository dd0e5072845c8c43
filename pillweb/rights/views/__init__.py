"""Pages of stopping to share, of leaving, and of what was agreed to."""
