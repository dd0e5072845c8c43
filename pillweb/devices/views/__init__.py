"""Pages of tablets: where they are connected, and what they begin with."""
