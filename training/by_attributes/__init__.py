"""Learning from what items are like."""
