"""Against recommenders, on held-out users."""
