"""What can be asked for: items by id, name and alias, and their attributes."""
