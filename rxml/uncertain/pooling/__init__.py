"""Pooling: one estimate, or one distribution, of several that sensors and models give of the same quantity."""
