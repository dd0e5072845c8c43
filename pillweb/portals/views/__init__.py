"""Pages of the front door, and the commands of whoever runs PillWeb."""
