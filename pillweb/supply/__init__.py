"""How much of a medicine is there, how long it lasts, and who gets more."""
