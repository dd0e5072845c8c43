"""What whoever runs PillWeb looks after: messages that failed, and providers."""
