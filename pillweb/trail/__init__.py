"""What became of each message about a patient, for the family to read."""
