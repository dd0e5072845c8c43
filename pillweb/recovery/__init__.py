"""Letting somebody in again: by a person they trust, and by a code to their phone."""
