"""Retraining: training beside a stream, when it is called for."""
