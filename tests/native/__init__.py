"""The C reader."""
