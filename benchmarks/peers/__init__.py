"""What rxml's serving is measured beside: servers by hand, and peers as their documentation recommends.

Each file is a program, `python -m benchmarks.peers.NAME --port PORT`, for the environment that has what it imports.
"""
