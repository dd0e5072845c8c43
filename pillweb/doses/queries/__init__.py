"""Questions about doses and intakes, by subject."""
