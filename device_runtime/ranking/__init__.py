"""From favorites and conditions to the best items."""
