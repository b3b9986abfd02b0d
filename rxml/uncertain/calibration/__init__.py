"""Calibration: intervals, sets and probabilities that hold, kept so while labels come."""
