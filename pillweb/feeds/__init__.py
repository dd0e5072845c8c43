"""A private calendar whose alarms remind without any server."""
