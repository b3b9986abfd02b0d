"""Happening: what a supervision tree has seen or done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

What: TypeAlias = Literal["started", "ended", "failed", "restarting", "stopped", "escalated"]


@dataclass(frozen=True, slots=True)
class Happening:
    """What has happened to a child.

    Attributes:
        at: nanoseconds since 1970 UTC.
        tree: the tree's name.
        child: the child's name.
        what: `started`; `ended` of itself; `failed`; `restarting` after `wait`; `stopped` by the tree; `escalated`: it
            has failed too often, and the whole tree fails for it.
        reason: the class and text of the error, or whose failure it was stopped for; else "".
        wait: seconds until it is started.
    """

    at: int
    tree: str
    child: str
    what: What
    reason: str = ""
    wait: float = 0.0

    def fact(self) -> dict[str, Any]:
        """The fields of a fact about the child, for `FactLog.append`."""
        payload = {
            "tree": self.tree,
            "what": self.what,
            "reason": self.reason,
            "wait_seconds": self.wait,
        }
        return {"key": f"{self.tree}/{self.child}", "event_time": self.at, "payload": payload}
