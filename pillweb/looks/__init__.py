"""How the pages look to one person."""
