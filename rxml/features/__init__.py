"""Features: transforms that learn from a stream, the same online, over a batch and for one request."""
