"""The published test kit: virtual time, probes, laws, strategies. Nothing that is shipped imports it."""
