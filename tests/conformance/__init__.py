"""The conformance set asked of every reader."""
