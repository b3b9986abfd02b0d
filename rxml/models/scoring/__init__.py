"""Scoring: rows gather while workers are busy, and go to the model in batches."""
