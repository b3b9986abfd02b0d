"""Possible worlds: aggregates over rows that may or may not be there, and whose values are uncertain."""
