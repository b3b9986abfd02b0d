"""Combination: how much each of several members is trusted, told as labels come."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.eventtime.keyed.plain_keys import from_plain, to_plain
from rxml.flow.check import require_count
from rxml.flow.supervising.news import News
from rxml.uncertain.calibration.labels import Counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.flowable import Flowable
    from rxml.uncertain.checks import Floats


@dataclass(frozen=True, slots=True)
class WeightsReport:
    """What is known of the members for one key.

    Attributes:
        key: it; None if nothing is keyed.
        weights: by name, where all of them answer; they add up to 1.
        losses: by name: the mean loss over the labels of elements for which it was awake; NaN without such.
        labels: of this key that were learned from.
        counts: what became of all predictions and labels, of any key.
    """

    key: Any
    weights: dict[str, float]
    losses: dict[str, float]
    labels: int
    counts: Counts = field(default_factory=Counts)


class Combination:
    """Watches the weights of `ops.combine`: hand it over as `combination=`, and read `weights`, `now` or `by_key`.

    Args:
        keep: reports that are remembered for readers, >= 1.
        keys: keys that `by_key` has, those of the latest labels, >= 1.

    Raises:
        ValueError: a number out of its range.
    """

    def __init__(self, *, keep: int = 1024, keys: int = 10_000) -> None:
        self._news: News[WeightsReport] = News(keep)
        self._most = require_count("Combination(keys)", keys, 1)
        self._names: tuple[str, ...] = ()
        self._held: OrderedDict[Any, Floats] = OrderedDict()
        self._counts = Counts()

    @property
    def weights(self) -> Flowable[WeightsReport]:
        """The reports that are remembered, then one for each key of each chunk of labels; it ends when its run is drained."""
        return self._news.flow("weights")

    @property
    def now(self) -> WeightsReport | None:
        """What is known of the key of the latest label; None before the first."""
        return self._report(next(reversed(self._held))) if self._held else None

    @property
    def by_key(self) -> dict[Any, WeightsReport]:
        """What is known of each key, that of the latest label last."""
        return {key: self._report(key) for key in self._held}

    def hear(
        self,
        names: Sequence[str],
        keys: Sequence[Any],
        weights: Floats,
        losses: Floats,
        counts: Counts,
    ) -> None:
        """Labels were learned from.

        Args:
            names: of the K members.
            keys: of the labels, n of them.
            weights: (n, K) since then.
            losses: (n, K), NaN for who slept.
            counts: of predictions and labels so far.
        """
        self._counts = counts
        self._names = tuple(names)
        for key, weight, lost in zip(keys, weights, losses, strict=True):
            held = self._held.pop(key, np.zeros((4, len(names))))
            awake = ~np.isnan(lost)
            self._held[key] = np.stack(
                [weight, held[1] + np.where(awake, lost, 0.0), held[2] + awake, held[3] + 1]
            )
        while len(self._held) > self._most:
            self._held.popitem(last=False)
        for key in dict.fromkeys(keys):
            if key in self._held:
                self._news.tell(self._report(key))

    def snapshot(self) -> list[Any]:
        """The state, as plain values."""
        kept = [to_plain(list(self._held)), list(self._held.values())]
        return [list(self._names), *kept, asdict(self._counts)]

    def restore(self, state: list[Any]) -> None:
        """Go on from a state that `snapshot` gave."""
        names, keys, held, counts = state
        self._counts = Counts(**counts)
        self._names = tuple(names)
        self._held = OrderedDict(
            zip(from_plain(keys), (np.array(each) for each in held), strict=True)
        )

    def _report(self, key: Any) -> WeightsReport:
        weights, sums, counts, labels = self._held[key]
        means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        return WeightsReport(
            key,
            dict(zip(self._names, weights.tolist(), strict=True)),
            dict(zip(self._names, means.tolist(), strict=True)),
            int(labels[0]),
            self._counts,
        )
