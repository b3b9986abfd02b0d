"""What a client may ask of the server: bounds on size, time and number, on by default."""

from __future__ import annotations

from dataclasses import dataclass, fields

from rxml.wire.limits import Limits as WireLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Upper bounds. What is beyond one is refused, with the status or close code that is named.

    Attributes:
        body_bytes: of a JSON or msgpack body, decompressed (413).
        stream_bytes: of an NDJSON body in all, decompressed (413); a WebSocket has no such end.
        line_bytes: of one line of NDJSON (413).
        message_bytes: of one WebSocket message, either way (close 1009).
        inflate_ratio: decompressed bytes for each compressed one, once 64 KiB have come out (413).
        header_bytes: of the request line and of each header (400).
        headers: in number (400).
        request_seconds: until the head of a request is complete, from the connection or the last answer on (closed).
        body_seconds: that a body, or a line of NDJSON, may take on its way (408).
        idle_seconds: between two lines of NDJSON (408); of a stream without demand (error `idle`); that a WebSocket
            without sub-protocol waits for its elements to be wanted (close 4429).
        hello_seconds: until `hello`, then until some stream is open (close 4408).
        heartbeat_seconds: of silence before a WebSocket is pinged, or a comment is sent to an SSE client.
        pong_seconds: until something must have come from a pinged client (dropped); also for closing.
        drain_seconds: for what is under way when the server ends.
        retry_seconds: the longest `Retry-After`.
        connections: open at a time (503).
        connections_per_address: of one address, or of one proxy (503).
        arriving_bytes: of JSON and msgpack bodies under way, in all; a quarter of it for one address (503).
        decoding_bytes: what elements of one path take, by an upper estimate, from being decoded to being wanted; others wait.
        rejects: elements of one body that do not fit; then the rest of it is not looked at (422).
        streams: open in one WebSocket connection (error `streams`).
        window: elements that a WebSocket may send ahead on a path of `ingest`.
        write_bytes: waiting for a client's socket before anything more is taken from the flow.
        depth: of containers in one another, in msgpack; at most 128.
        items: values in one message, in msgpack; elements of an array, in JSON (413).
        errors: that one answer lists; all are counted.

    Raises:
        ValueError: a limit is not positive, or is no whole number though it counts something.
    """

    body_bytes: int = 2**20
    stream_bytes: int = 64 * 2**20
    line_bytes: int = 256 * 2**10
    message_bytes: int = 256 * 2**10
    inflate_ratio: int = 100
    header_bytes: int = 8190
    headers: int = 64
    request_seconds: float = 15.0
    body_seconds: float = 20.0
    idle_seconds: float = 300.0
    hello_seconds: float = 10.0
    heartbeat_seconds: float = 20.0
    pong_seconds: float = 10.0
    drain_seconds: float = 5.0
    retry_seconds: int = 60
    connections: int = 1000
    connections_per_address: int = 256
    arriving_bytes: int = 64 * 2**20
    decoding_bytes: int = 64 * 2**20
    rejects: int = 10_000
    streams: int = 128
    window: int = 256
    write_bytes: int = 64 * 2**10
    depth: int = 32
    items: int = 100_000
    errors: int = 100

    def __post_init__(self) -> None:
        """Check every limit."""
        for field in fields(self):
            limit = getattr(self, field.name)
            whole = field.default.__class__ is int
            kind, name = (int, "whole number") if whole else (int | float, "number")
            if isinstance(limit, bool) or not isinstance(limit, kind) or not limit > 0:
                raise ValueError(f"{field.name} is {limit!r}: it must be a positive {name}")

    def wire(self, max_bytes: int) -> WireLimits:
        """What a msgpack message of at most `max_bytes` may ask for."""
        return WireLimits(
            max_bytes=max_bytes,
            max_depth=self.depth,
            max_items=self.items,
            max_containers=self.items,
            max_str=max_bytes,
            max_bin=max_bytes,
            max_ext=max_bytes,
        )
