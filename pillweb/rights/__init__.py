"""What people may ask of us: to stop sharing, to leave, to be forgotten, and why."""
