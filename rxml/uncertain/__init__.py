"""Distributions as data, and what is computed with them; pure numpy."""
