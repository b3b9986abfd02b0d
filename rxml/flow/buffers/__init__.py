"""Buffers: what holds elements between tasks, each with a bound."""
