"""Who may see and do what: grants for accounts, links for everybody else."""
