"""How good the embedding of a catalog is, and how well its names are found."""
