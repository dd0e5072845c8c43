"""What is printed for the fridge and the purse, and the codes on it that answer."""
