"""Keyed state: what operators remember, for each key by itself."""
