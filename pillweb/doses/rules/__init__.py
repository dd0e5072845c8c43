"""What is true of doses and intakes without asking anybody, by subject."""
