"""How well it went: outcomes of doses, counts, and the calendar."""
