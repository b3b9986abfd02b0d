"""What happens to a client that reads more slowly than a stream flows, where the protocol has no demand. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from rxml.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Policy: TypeAlias = Literal["latest", "wait", "drop_oldest", "drop_newest", "disconnect"]


@dataclass(frozen=True, slots=True)
class Slow:
    """A policy for clients that do not keep up; made by `latest`, `buffer`, `drop_oldest`, `drop_newest`, `disconnect`.

    A client keeps up as long as its socket takes what waits within `patience`; such a client misses nothing, because the
    flow is asked for more only as it reads. One that does not is late until it has read all that waits; the flow goes on
    without it meanwhile, and what it misses is told in a `gap`.

    Attributes:
        policy: what happens once the socket has been full for longer than `patience`.
        capacity: elements that wait for one client.
        patience: seconds that a full socket is waited for.
    """

    policy: Policy
    capacity: int
    patience: float = 0.1

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.capacity.__class__ is not int or self.capacity < 1:
            raise PipelineError(
                f"{self.policy} wants an int >= 1 of elements, got {self.capacity!r}"
            )
        if not self.patience >= 0:
            raise PipelineError(f"patience must be >= 0 seconds, got {self.patience!r}")

    def pending(self, key: Callable[[Any], Any] | None) -> Pending:
        """What waits for one client, nothing yet."""
        return Pending(self, key)


def latest(capacity: int = 1000, *, patience: float = 0.1) -> Slow:
    """Skip to the latest element of each key; of at most `capacity` keys, the longest silent going first."""
    return Slow("latest", capacity, patience)


def buffer(capacity: int) -> Slow:
    """Skip nothing: `capacity` elements wait, and then the flow does."""
    return Slow("wait", capacity)


def drop_oldest(capacity: int, *, patience: float = 0.1) -> Slow:
    """Skip what has waited longest."""
    return Slow("drop_oldest", capacity, patience)


def drop_newest(capacity: int, *, patience: float = 0.1) -> Slow:
    """Skip what comes while `capacity` elements wait."""
    return Slow("drop_newest", capacity, patience)


def disconnect(capacity: int = 1000, *, patience: float = 10.0) -> Slow:
    """Skip nothing, but end the connection of a client for which `capacity` elements wait for `patience` seconds."""
    return Slow("disconnect", capacity, patience)


NAMES: Final = {"latest": latest(), "disconnect": disconnect()}
"""Policies that may be given by name."""


def policy(given: object) -> Slow:
    """The policy that was given, as such or by name.

    Raises:
        PipelineError: neither.
    """
    found = NAMES.get(given) if isinstance(given, str) else given
    if isinstance(found, Slow):
        return found
    raise PipelineError(
        "slow must be 'latest', 'disconnect', or one of rxml.http's latest(), buffer(n), drop_oldest(n), "
        f"drop_newest(n), disconnect(n); got {given!r}"
    )


class TooSlowError(Exception):
    """The client is to be disconnected."""


class Pending:
    """Elements that wait for one client, at most `capacity`, and the number of those it will not get."""

    __slots__ = ("_elements", "_gap", "_key", "_late", "_slow")

    def __init__(self, slow: Slow, key: Callable[[Any], Any] | None) -> None:
        self._slow = slow
        self._key: Callable[[Any], Any] = key or _same
        self._elements: deque[Any] = deque()
        self._gap = 0
        self._late = False

    def __len__(self) -> int:
        return len(self._elements)

    @property
    def room(self) -> int:
        """Elements that may be offered without any being skipped; `latest` lets nothing get old, so only if none wait."""
        if self._late or (self._slow.policy == "latest" and self._elements):
            return 0
        return self._slow.capacity - len(self._elements)

    @property
    def late(self) -> bool:
        """True once the client is given up waiting for: what is offered now is skipped by the policy."""
        return self._late

    def give_up(self) -> None:
        """The client's socket was full for too long.

        Raises:
            TooSlowError: the policy is to end such a client's connection.
        """
        if self._slow.policy == "disconnect":
            raise TooSlowError
        self._late = self._slow.policy != "wait"
        if self._late and self._slow.policy == "latest":
            self._conflate()

    def caught_up(self) -> None:
        """The client has read all there was: it is waited for again."""
        self._late = False

    def offer(self, elements: Sequence[Any]) -> None:
        """Add elements, within `room`, or by the policy if the client is late."""
        self._elements.extend(elements)
        if not self._late:
            return
        if self._slow.policy == "latest":
            self._conflate()
        over = len(self._elements) - self._slow.capacity
        if over > 0:
            self._gap += over
            drop = (
                self._elements.pop if self._slow.policy == "drop_newest" else self._elements.popleft
            )
            for _ in range(over):
                drop()

    def take(self, most: int) -> tuple[int, list[Any]]:
        """How many were skipped since the last time, and the first elements, at most `most`."""
        gap, self._gap = self._gap, 0
        taken = list(islice(self._elements, most))
        for _ in taken:
            self._elements.popleft()
        return gap, taken

    def _conflate(self) -> None:
        newest: dict[Any, Any] = {}
        for element in self._elements:
            key = self._key(element)
            newest.pop(key, None)
            newest[key] = element
        self._gap += len(self._elements) - len(newest)
        self._elements = deque(newest.values())


def _same(_: object) -> None:
    """The key of elements without one."""
