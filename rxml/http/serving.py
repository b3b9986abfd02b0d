"""Serving: what one run of a server has in common for all its requests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rxml.http.access import Access
from rxml.http.metrics import Metrics
from rxml.http.pool import Arrivals
from rxml.http.readiness import Readiness
from rxml.http.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.flow.flowable import Flowable
    from rxml.http.keys import Key
    from rxml.http.limits import Limits
    from rxml.http.origin import Gate
    from rxml.http.recording import Recording


@dataclass(slots=True)
class Serving:
    """One run of a server.

    Attributes:
        limits: on what clients may ask.
        flows: that streams send, by path.
        gate: which pages and names get in.
        show_errors: tell clients the text of errors, not only their class.
        leaving: set when the server begins to end; `deadline` holds then.
        deadline: the loop's time, in seconds, at which all that is left is cut.
        turns: that all connections take.
        arrivals: bytes of bodies under way.
        resting: streams of late clients between two steps.
        access: who may do what.
        readiness: whether clients may come.
        metrics: what was done.
    """

    limits: Limits
    flows: Mapping[str, Flowable[Any] | Recording]
    gate: Gate
    show_errors: bool = False
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    deadline: float = 0.0
    turns: Turns = field(default_factory=Turns)
    arrivals: Arrivals = field(init=False)
    resting: int = 0
    access: Access = field(default_factory=Access)
    readiness: Readiness = field(default_factory=Readiness)
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        """Derive what follows from the limits."""
        self.arrivals = Arrivals(self.limits.arriving_bytes)

    def flow_at(self, path: str, key: Key | None) -> Flowable[Any] | Recording | None:
        """The flow that is sent at a path, if whoever has this key may have it."""
        if key is not None and not (key.may_use(path) and self.access.visible(key, path)):
            return None
        return self.flows.get(path)

    def leave(self) -> None:
        """Begin to end."""
        self.deadline = asyncio.get_running_loop().time() + self.limits.drain_seconds
        self.leaving.set()

    def left_ms(self) -> int:
        """Milliseconds until the end, once it has begun."""
        return max(0, int((self.deadline - asyncio.get_running_loop().time()) * 1000))

    def words(self, error: Exception) -> str:
        """What a client is told of an error in a flow; always something that can be sent."""
        name = type(error).__name__
        if not self.show_errors:
            return name
        try:
            return f"{name}: {error}".encode(errors="replace").decode()
        except Exception:  # noqa: BLE001 - users' __str__ may do anything
            return name
