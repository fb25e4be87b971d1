"""What the integers keep, and whether every engine answers as exact arithmetic."""
