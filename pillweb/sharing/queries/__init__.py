"""Questions about who was let in."""
