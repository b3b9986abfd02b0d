"""Checkpointing: barriers in band, what stages keep, and one commit for all of it."""
