"""What is done when somebody stops sharing, leaves, or is forgotten."""
