"""How somebody is let in: they are invited, or ask by a patient's code."""
