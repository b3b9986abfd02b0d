"""What the cases of serving share: a client in raw sockets, and servers in processes of their own.

The process of a contestant is the client, on one core; the server that it starts has another core, for all of its
processes and threads. Everything here is standard library, since it runs in every peer's environment.
"""
