"""The only Flask kit: what views stand on."""
