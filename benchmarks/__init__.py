"""Measures size, latency and likeness of a model file against one-hot encodings. Needs the extra `benchmarks`."""
