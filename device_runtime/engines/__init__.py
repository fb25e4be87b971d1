"""What scores the table: the kernel in C, numpy, an interpreter of the graph."""
