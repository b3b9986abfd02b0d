"""Sharing: one run for many subscribers."""
