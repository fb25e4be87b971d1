"""One-hot against embedding."""
