"""What providers and machines send us: replies, calls, receipts, bounces."""
