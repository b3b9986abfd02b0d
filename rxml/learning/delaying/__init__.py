"""Delaying: labels that come when they would have been known, and what waits for them."""
