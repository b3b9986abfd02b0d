"""Fusion: neighbouring kernels as one loop over each chunk."""
