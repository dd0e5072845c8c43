"""When a family hears, what of a day it hears, and what of a week."""
