"""Nested: streams of streams, and back to one."""
