"""What happens in the evening: clocks run on, and families are told."""
