"""Featuring: features that are learned in the stream, of columns of elements."""
