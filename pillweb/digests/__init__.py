"""What a family hears of a day and of a week."""
