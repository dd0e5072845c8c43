"""Who looked at what, and who changed what: a chain of entries for each patient."""
