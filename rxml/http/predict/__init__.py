"""Predict: one operator for requests and streams alike."""
