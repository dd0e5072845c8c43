"""What happens to invitations, codes and requests."""
