"""When each dose is due: the dosing model and its arithmetic, split by subject."""
