"""Routing: into which branches the elements of a stream go, and how many these hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rxml.errors import PipelineError
from rxml.flow.check import require_count
from rxml.flow.timing.duration import seconds_of

if TYPE_CHECKING:
    from rxml.flow.nested.branch import Branch
    from rxml.flow.node import Env
    from rxml.flow.subscription import Subscription
    from rxml.flow.timing.duration import Duration

POLICIES = ("backpressure", "drop_oldest", "drop_newest", "error")
"""What happens to an element whose branch is full."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a stage that splits.

    Attributes:
        capacity: elements that a branch holds.
        policy: one of `POLICIES`.
        announced: branches that wait to be handed over.
        patience: seconds that others may wait because of a full branch that has no reader; None: for ever.
    """

    capacity: int
    policy: str
    announced: int
    patience: float | None


def limits_of(
    name: str, capacity: int, policy: str, announced: int, patience: Duration | None
) -> Limits:
    """The bounds of a stage that splits, checked."""
    require_count(f"{name}(capacity=)", capacity, 1)
    if policy not in POLICIES:
        raise PipelineError(f"{name}: policy is one of {', '.join(POLICIES)}, got {policy!r}")
    seconds = None if patience is None else seconds_of(patience, f"{name}(patience=)")
    return Limits(capacity, policy, announced, seconds)


class Forks(Protocol):
    """What a router may do with the stream that it is a part of."""

    async def fork(self, key: Any) -> Branch:
        """A new branch, once there is room to announce it."""
        ...

    def end(self, branch: Branch) -> None:
        """Nothing more goes into the branch."""
        ...


class Router:
    """Says which branches an element goes into; one for each run.

    Attributes:
        punctual: the alarm is heard before elements that are there at the same moment, and whether or not anybody waits.
    """

    punctual = False

    def alarm(self, env: Env) -> Subscription[Any] | None:
        """A further input, for whose elements `struck` is called; its end ends the stream."""
        del env
        return None

    async def begin(self, splitter: Forks) -> None:
        """The stream begins."""

    async def route(self, splitter: Forks, element: Any) -> list[tuple[Branch, Any]]:
        """The branches that the element goes into, each with what it is there."""
        raise NotImplementedError

    async def routed(self, splitter: Forks) -> None:
        """The element is in its branches."""

    async def struck(self, splitter: Forks) -> None:
        """The alarm has given an element."""
