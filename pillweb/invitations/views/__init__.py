"""Pages to invite and to ask, and of those who were invited."""
