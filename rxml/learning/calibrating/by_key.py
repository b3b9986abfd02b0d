"""CoverageByKey: which keys' promises hold least, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.evaluation.anytime import share_interval
from rxml.eventtime.keyed.plain_keys import from_plain, to_plain
from rxml.flow.check import require_count

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class KeyCoverage:
    """How often what was promised has held for a key.

    Attributes:
        key: it.
        labels: predictions of it whose labels came.
        covered: of these, how many were within what was promised.
        lower: of the share of all such predictions that is covered, at all times together with probability 1 - delta.
        upper: as much.
    """

    key: Any
    labels: int
    covered: int
    lower: float
    upper: float


class CoverageByKey:
    """Counts for each key; of more than `most` keys the one whose last label came longest ago is forgotten.

    Args:
        most: keys, >= 1.
        delta: chance that an interval of a key ever fails to hold its share, above 0 and below 1.

    Raises:
        ValueError: `most` below 1.
    """

    def __init__(self, most: int, delta: float) -> None:
        self._most = require_count("Coverage(keys)", most, 1)
        self._delta = delta
        self._held: OrderedDict[Any, tuple[int, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def hear(self, keys: Sequence[Any], covered: Sequence[bool]) -> None:
        """Labels came to predictions of these keys."""
        for key, held in zip(keys, covered, strict=True):
            labels, before = self._held.pop(key, (0, 0))
            self._held[key] = labels + 1, before + held
        while len(self._held) > self._most:
            self._held.popitem(last=False)

    def worst(self, n: int) -> list[KeyCoverage]:
        """The n keys of which it is surest that they are covered least: those with the smallest `upper` first."""
        if not self._held:
            return []
        counts = np.array(list(self._held.values()))
        lower, upper = share_interval(counts[:, 1], counts[:, 0], 1 - self._delta)
        keys = list(self._held)
        return [
            KeyCoverage(keys[at], *self._held[keys[at]], float(lower[at]), float(upper[at]))
            for at in np.argsort(upper, kind="stable")[:n].tolist()
        ]

    def snapshot(self) -> list[Any]:
        """The state, as plain values."""
        return [to_plain(list(self._held)), list(map(list, self._held.values()))]

    def restore(self, state: list[Any]) -> None:
        """Go on from a state that `snapshot` gave."""
        keys, tallies = state
        self._held = OrderedDict(
            zip(from_plain(keys), ((labels, held) for labels, held in tallies), strict=True)
        )
