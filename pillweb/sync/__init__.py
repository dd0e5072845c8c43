"""Answers that a device kept while it had no connection, and the installed page."""
