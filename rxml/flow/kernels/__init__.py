"""Kernels that several operator families are made of."""
