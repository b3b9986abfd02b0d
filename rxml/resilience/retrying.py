"""How often and when to try again: waits that grow, and a budget for all who try."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

SLICES: Final = 10
"""Parts of a budget's time that are forgotten one by one."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between attempts: `min(most, first * factor ** k)` after k failures before, in seconds.

    With jitter each wait is drawn evenly from 0 up to that ("full jitter", Brooker, AWS Architecture Blog, 2015), so
    that those who failed together do not come back together.

    Attributes:
        first: seconds, >= 0.
        factor: >= 1.
        most: seconds, >= 0.
    """

    first: float = 0.05
    factor: float = 2.0
    most: float = 2.0

    def __post_init__(self) -> None:
        if not (0 <= self.first < inf and self.factor >= 1 and isfinite(self.factor)):
            message = f"Backoff wants first >= 0 and factor >= 1, both finite, got {self!r}"
            raise ValueError(message)
        if not self.most >= 0:
            message = f"Backoff wants most >= 0, got {self.most!r}"
            raise ValueError(message)

    def wait(self, failures: int, random: Random | None) -> float:
        """Seconds to wait after `failures` (>= 0) failures before this one; without `random`, without jitter."""
        try:
            longest = min(self.most, self.first * self.factor**failures)
        except OverflowError:
            longest = self.most if self.first else 0.0
        return longest if random is None else random.uniform(0.0, longest)

    def within(self, failures: int, random: Random | None, left: float) -> float | None:
        """`wait`, if that is shorter than what is `left` in seconds until the answer is worth nothing; else None."""
        seconds = self.wait(failures, random)
        return seconds if seconds < left else None


class RetryBudget:
    """What all that share it may spend on further attempts: a share of their first attempts, and a floor.

    Keeps retries from multiplying the load on something that is failing (as Finagle does). Each first attempt brings
    `ratio` of a further attempt; whatever has come in and whatever was spent is forgotten after `seconds`.

    Args:
        ratio: further attempts for each first one, >= 0.
        per_second: further attempts a second that are always granted, >= 0.
        seconds: for which the budget remembers, > 0.

    Raises:
        ValueError: a number out of its range.
    """

    __slots__ = ("_floor", "_ratio", "_slice", "_slices")

    def __init__(
        self, ratio: float = 0.2, *, per_second: float = 10.0, seconds: float = 10.0
    ) -> None:
        for name, value, least in (
            ("ratio", ratio, 0.0),
            ("per_second", per_second, 0.0),
            ("seconds", seconds, 1e-9),
        ):
            if not least <= value < inf:
                message = f"RetryBudget wants {name} >= {least:g} and finite, got {value!r}"
                raise ValueError(message)
        self._ratio = ratio
        self._floor = per_second * seconds
        self._slice = seconds / SLICES
        self._slices: deque[tuple[int, float]] = deque()

    def deposit(self, now: float) -> None:
        """Note a first attempt at the clock's time `now`, in seconds."""
        self._add(now, self._ratio)

    def withdraw(self, now: float) -> bool:
        """Spend a further attempt, if there is one left."""
        if self.balance(now) < 1:
            return False
        self._add(now, -1.0)
        return True

    def balance(self, now: float) -> float:
        """Further attempts that may be made at `now`; what is older than `seconds` counts no more."""
        oldest = int(now // self._slice) - SLICES
        while self._slices and self._slices[0][0] <= oldest:
            self._slices.popleft()
        return self._floor + sum(amount for _, amount in self._slices)

    def _add(self, now: float, amount: float) -> None:
        index = int(now // self._slice)
        if self._slices and self._slices[-1][0] >= index:
            index, before = self._slices.pop()
            amount += before
        self._slices.append((index, amount))
