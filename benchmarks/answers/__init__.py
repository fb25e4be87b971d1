"""Whether answers make sense: after a dislike, for several tastes, and read by a person."""
