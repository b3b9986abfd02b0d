"""Adapters: what makes models of other libraries models of this one, a file each."""
