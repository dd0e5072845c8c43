"""How entries hang together, and what they say in words."""
