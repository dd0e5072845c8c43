"""Who signs in: accounts, sessions that can be revoked, and mailed links."""
