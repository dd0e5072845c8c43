"""What happens to grants, invitations and links."""
