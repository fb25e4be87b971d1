"""Learning from who likes what."""
