"""What people say back to a reminder: by a link, a button or a reply."""
