"""Benchmarks: rxml beside its peers and beside what plain Python can do at all.

`python -m benchmarks [NAME ...] [--json] [--rounds N] [--quick]`. Every contestant of a case runs in a worker
process of its own, the rounds alternate between them, and ratios are taken within a round: what slows the
machine slows all of them. Each case states its limit and checks its own results.
"""
