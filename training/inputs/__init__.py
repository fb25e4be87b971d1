"""Catalogs, rules, logs of interactions and triplets, read and checked."""
