"""Sharing: how a flow is shared."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from rxml.errors import PipelineError
from rxml.flow.check import require_count
from rxml.flow.timing.duration import seconds_of

if TYPE_CHECKING:
    from rxml.flow.timing.duration import Duration

POLICIES: Final = ("slowest", "drop_oldest", "drop_newest", "detach", "error")
"""What happens when a subscriber lags behind by more than its buffer holds."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """How a flow is shared.

    Attributes:
        name: of the stage, for messages.
        lag: elements that each subscriber may be behind.
        policy: one of `POLICIES`.
        patience: seconds that a subscriber may wait for another one of the same run that does not read; None: for ever.
        replay: elements that a late subscriber gets first.
        seconds: how old these may be, or None.
    """

    name: str
    lag: int
    policy: str
    patience: float | None
    replay: int = 0
    seconds: float | None = None


def sharing_of(name: str, lag: int, policy: str, patience: Duration | None) -> Sharing:
    """How a flow is shared that forgets what it has given, checked."""
    if policy not in POLICIES:
        message = f"{name}: policy is one of {', '.join(POLICIES)}, got {policy!r}"
        raise PipelineError(message)
    seconds = inf if patience is None else seconds_of(patience, f"{name}(patience=)")
    count = require_count(f"{name}(lag=)", lag, 1)
    return Sharing(name, count, policy, None if seconds == inf else seconds)
