"""Routing: by how sure an answer is, to a bigger model, to nobody, or to a person."""
