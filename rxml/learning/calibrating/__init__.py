"""Calibrating: intervals, sets and probabilities that labels keep true, and how often they held."""
