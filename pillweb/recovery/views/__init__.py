"""What the pages of recovery answer, for each of the two people."""
