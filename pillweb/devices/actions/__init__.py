"""What happens to tablets."""
