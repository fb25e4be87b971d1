"""Splits of users, measures of rankings, confidence intervals."""
