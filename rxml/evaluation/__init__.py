"""Evaluation: scores of predictions, metrics over time with their own uncertainty, and tests that may be looked at any time."""
