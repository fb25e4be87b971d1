"""The whole job against libraries for nearest neighbors."""
