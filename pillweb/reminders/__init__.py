"""Who is told when, until somebody answers."""
