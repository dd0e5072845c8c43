"""Pages of who may look, and of those who are let in."""
