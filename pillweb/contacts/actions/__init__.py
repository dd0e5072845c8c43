"""What happens to addresses: added, proven, used, lost."""
