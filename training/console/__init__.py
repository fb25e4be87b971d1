"""Files that appear whole, and a quiet TensorFlow."""
