"""Where people can be reached, what they want to be told, and when not."""
