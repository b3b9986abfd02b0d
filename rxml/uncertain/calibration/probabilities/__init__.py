"""Probabilities that mean what they say: maps from what a model says to what happens, which learn from labels."""
