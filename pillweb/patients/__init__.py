"""Who takes medicine."""
