"""Members: accounts, invitations, sessions, one-time links, settings."""
