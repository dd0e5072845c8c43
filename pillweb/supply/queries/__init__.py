"""Questions about supply."""
