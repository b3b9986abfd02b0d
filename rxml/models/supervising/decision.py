"""Decision: what a model supervisor has decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

What: TypeAlias = Literal["removed", "probing", "restored", "fell back", "recovered", "escalated"]


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision.

    Attributes:
        at: nanoseconds since 1970 UTC.
        supervisor: its name.
        what: an arm is `removed`, `probing` or `restored`; answers have begun to come from no arm (`fell back`), or from
            arms again (`recovered`); no arm may be asked (`escalated`).
        arm: its name; of `fell back` the rung that answers; else "".
        reason: why, in a few words.
    """

    at: int
    supervisor: str
    what: What
    arm: str = ""
    reason: str = ""

    def fact(self) -> dict[str, Any]:
        """The fields of a fact about the supervisor, for `FactLog.append`."""
        payload = {"what": self.what, "arm": self.arm, "reason": self.reason}
        return {"key": self.supervisor, "event_time": self.at, "payload": payload}
