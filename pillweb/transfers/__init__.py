"""Everything of a patient as a file, taken out here and brought in elsewhere."""
