"""A recovery is begun, agreed to or stopped, and used."""
