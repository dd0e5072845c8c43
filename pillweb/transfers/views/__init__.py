"""Pages for taking out and bringing in."""
