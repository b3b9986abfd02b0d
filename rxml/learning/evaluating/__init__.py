"""Evaluating: metrics and drifts, told as labels come."""
