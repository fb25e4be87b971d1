"""Answers as JSON over HTTP, and a page to try it."""
