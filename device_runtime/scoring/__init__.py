"""Integer queries, integer scores, exact top-k."""
