"""Supervising models: several for one question, of which one answers in time."""
