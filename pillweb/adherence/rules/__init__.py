"""What the record of doses says, by the exact formulas of domain 3.2."""
