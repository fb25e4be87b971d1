"""The one file: its archive, its manifest, and what is damaged in it."""
