"""Changes made on the device: their kinds, the overlay that keeps them, profiles of users."""
