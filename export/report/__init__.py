"""A page and a chart about an exported file."""
