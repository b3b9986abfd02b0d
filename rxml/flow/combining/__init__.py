"""Combining: several flows as one."""
