"""Ejection: members of a pool that keep failing are left out for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from rxml.resilience.numbers import require_above, require_range

if TYPE_CHECKING:
    from collections.abc import Iterable

H = TypeVar("H")


@dataclass(slots=True)
class _Member:
    failures: int = 0
    times: int = 0
    until: float | None = None
    back: float = 0.0


class Ejection(Generic[H]):
    """Leaves a member out after so many failures in a row, each time for longer; most of the pool always stays.

    As Envoy's outlier detection: the time grows by `seconds` with each ejection, and shrinks by as much for each `sweep`
    that a member is well.

    Args:
        members: the pool; hashable.
        failures: in a row, >= 1.
        seconds: of the first ejection, > 0.
        most: seconds of any ejection, >= seconds.
        sweep: seconds of being well that make up for one ejection, > 0.
        stay: share of the pool that is never ejected, in [0, 1].

    Raises:
        ValueError: a number out of its range.
    """

    def __init__(
        self,
        members: Iterable[H] = (),
        *,
        failures: int = 5,
        seconds: float = 30.0,
        most: float = 300.0,
        sweep: float = 10.0,
        stay: float = 0.5,
    ) -> None:
        self._failures = int(require_range("Ejection(failures)", failures, 1))
        self._seconds = require_above("Ejection(seconds)", seconds)
        self._most = require_range("Ejection(most)", most, seconds)
        self._sweep = require_above("Ejection(sweep)", sweep)
        self._stay = require_range("Ejection(stay)", stay, 0, 1)
        self._members: dict[H, _Member] = {member: _Member() for member in members}

    def add(self, member: H) -> None:
        """Take a member into the pool; one that is there stays as it is."""
        self._members.setdefault(member, _Member())

    def remove(self, member: H, now: float) -> None:
        """Take a member out of the pool for good; if too few are left, the ejected come back, first the one due first."""
        self._members.pop(member, None)
        while (out := self._ejected(now)) and not self._enough(len(out)):
            soonest = min(out, key=lambda each: each.until or 0.0)
            soonest.until, soonest.back = None, now

    def available(self, now: float) -> list[H]:
        """The members that are not ejected at `now` (seconds), in the order in which they came."""
        self._ejected(now)
        return [name for name, member in self._members.items() if member.until is None]

    def retry_after(self, member: H, now: float) -> float:
        """Seconds until the member is back; 0 if it is not ejected at `now` (seconds)."""
        known = self._members.get(member)
        return max(0.0, known.until - now) if known is not None and known.until is not None else 0.0

    def succeeded(self, member: H) -> None:
        """A call to the member went well."""
        known = self._members.get(member)
        if known is not None:
            known.failures = 0

    def failed(self, member: H, now: float) -> bool:
        """A call to the member failed; returns whether it is ejected for that."""
        known = self._members.get(member)
        out = len(self._ejected(now))
        if known is None or known.until is not None:
            return False
        known.failures += 1
        if known.failures < self._failures or not self._enough(out + 1):
            return False
        well = int((now - known.back) // self._sweep)
        known.times = max(0, known.times - well) + 1
        known.until = now + min(self._most, self._seconds * known.times)
        known.failures = 0
        return True

    def _enough(self, out: int) -> bool:
        """Whether the pool is large enough without so many."""
        return len(self._members) - out >= self._stay * len(self._members)

    def _ejected(self, now: float) -> list[_Member]:
        """The members that are out now; those whose time is over have come back."""
        for member in self._members.values():
            if member.until is not None and member.until <= now:
                member.back, member.until = member.until, None
        return [member for member in self._members.values() if member.until is not None]
