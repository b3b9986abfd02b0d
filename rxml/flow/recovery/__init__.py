"""Recovery: what follows when a flow has ended or failed."""
