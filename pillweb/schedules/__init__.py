"""How a medicine is to be taken: plans, lines, and the doses they ask for."""
