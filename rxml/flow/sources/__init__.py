"""Sources: where a flow begins."""
