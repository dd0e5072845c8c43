"""What the URLs answer behind which nobody signs in."""
