"""Hedging: when a second attempt beside a slow first one is worth its cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rxml.resilience.keyed import Keyed
from rxml.resilience.numbers import require_range
from rxml.resilience.quantile import RecentQuantile
from rxml.resilience.window import WindowedCounts

if TYPE_CHECKING:
    from collections.abc import Hashable

SIZE: Final = 128
"""Durations that are remembered of a key."""


class Hedging:
    """After which time a call is made a second time, and whether there is a budget for it.

    A second attempt is made once a first takes longer than `quantile` of those before it ("The Tail at Scale", Dean and
    Barroso, 2013), which is a share of `1 - quantile` of all calls; the budget holds it to `share` when everything gets
    slow at once. Nothing is hedged under load, when it would only add to it.

    Args:
        quantile: of the durations of a key, in (0, 1).
        share: second attempts for each first one, in [0, 1].
        least: durations of a key that must be known, >= 1 and <= 128.
        busiest: load from which on nothing is hedged, in (0, 1].
        window: seconds that the budget is of, > 0.
        keys: keys whose durations are remembered, >= 1.

    Raises:
        ValueError: a number out of its range.
    """

    def __init__(
        self,
        *,
        quantile: float = 0.95,
        share: float = 0.05,
        least: int = 20,
        busiest: float = 0.8,
        window: float = 60.0,
        keys: int = 1000,
    ) -> None:
        self._quantile = require_range("Hedging(quantile)", quantile, 0.0, 1.0)
        self._share = require_range("Hedging(share)", share, 0.0, 1.0)
        self._least = int(require_range("Hedging(least)", least, 1, SIZE))
        self._busiest = require_range("Hedging(busiest)", busiest, 0.0, 1.0)
        self._counts = WindowedCounts(window, 10, 2)
        self._durations: Keyed[RecentQuantile] = Keyed(keys)

    def called(self, now: float) -> None:
        """A first attempt is made at `now` (seconds): the budget grows by `share`."""
        self._counts.add(now, 1, 0)

    def delay(self, key: Hashable = None) -> float | None:
        """Seconds after which a first attempt is slow; None: too little is known of the key."""
        known = self._durations.get(key)
        if known is None or len(known) < self._least:
            return None
        return known.quantile(self._quantile)

    def spend(self, now: float, load: float = 0.0) -> bool:
        """Whether to make a second attempt now; it is counted then.

        Args:
            now: seconds.
            load: share of what the callee can take that is in use, 0..1.
        """
        calls, hedges = self._counts.totals(now)
        if load > self._busiest or hedges + 1 > self._share * calls:
            return False
        self._counts.add(now, 0, 1)
        return True

    def record(self, seconds: float, key: Hashable = None) -> None:
        """The attempt that won took so many seconds."""
        known = self._durations.get(key)
        if known is None:
            known = RecentQuantile(SIZE)
            self._durations.put(key, known)
        known.add(seconds)
