"""What people type about a medicine and when it is taken."""
