"""Scorers of the user's own: plain functions, and wrappers of other libraries' metrics."""
