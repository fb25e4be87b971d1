"""The one file, written whole or not at all."""
