"""Pooling: one prediction of several, by weights that labels teach; levels that are followed."""
