"""PillWeb: medication reminders that cannot be lost, and a family that knows."""
