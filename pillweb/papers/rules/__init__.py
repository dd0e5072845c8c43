"""What a sheet and a card say, and what a scanned code means."""
