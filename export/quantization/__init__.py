"""From float vectors to integers."""
