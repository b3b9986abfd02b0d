"""What rxml's serving is measured beside: servers by hand, and peers with the batching that they offer.

Each file is a program, `python -m benchmarks.peers.NAME --port PORT`, for the environment that has what it imports; but `mapie`
serves nothing: a case calls it.
The sizes of their batches (64, the number of connections) and their waits (1 ms) were set once, not searched for.
"""
