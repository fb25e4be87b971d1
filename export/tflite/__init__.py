"""The graph, op by op, as a flatbuffer; and the lint."""
