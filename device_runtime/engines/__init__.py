"""What scores the table: numpy, an interpreter of the graph, an approximate index."""
