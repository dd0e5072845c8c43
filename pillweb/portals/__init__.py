"""Home pages: where everybody arrives, and what belongs to no one feature."""
