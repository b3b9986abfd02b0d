"""SequentialTest: whether a condition holds with more than some probability, from as few draws as it takes."""

from __future__ import annotations

from math import log, log1p
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from rxml.evaluation.anytime.keyed import KeyedTable
from rxml.evaluation.anytime.rows import Running, checked_bools, require_share
from rxml.uncertain.calibration.table import checked_slots

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Ints: TypeAlias = NDArray[np.int64]


class SequentialTest(KeyedTable):
    """Wald's sequential probability ratio test of "Pr(condition) > threshold", of each key.

    Wald 1945; as the conditionals of Uncertain<T> (Bornholt, Mytkowicz, McKinley, ASPLOS 2014). The draws are to be
    independent. If the probability is at most threshold - margin, "yes" is said with probability of about
    `false_yes`; if at least threshold + margin, "no" with about `false_no` (Wald's bounds, which a decision that
    overshoots makes smaller); in between, either. A decision stays, and later rows are not counted, until `reset`.

    Args:
        threshold: the probability that is asked about, in (0, 1).
        margin: half of the gap within which either answer will do, > 0; threshold +- margin within (0, 1).
        false_yes: in (0, .5).
        false_no: in (0, .5).
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    threshold: float
    margin: float

    def __init__(
        self,
        threshold: float = 0.5,
        *,
        margin: float = 0.05,
        false_yes: float = 0.05,
        false_no: float = 0.05,
        keys: int = 1,
    ) -> None:
        self.threshold = require_share("threshold", threshold)
        if not 0.0 < margin < min(threshold, 1.0 - threshold):
            raise ValueError(f"margin is {margin!r}: threshold +- margin must be within (0, 1)")
        if not (0.0 < false_yes < 0.5 and 0.0 < false_no < 0.5):
            raise ValueError(f"errors are {false_yes!r} and {false_no!r}: give numbers in (0, .5)")
        self.margin = float(margin)
        low, high = threshold - margin, threshold + margin
        self._hit = log(high / low)
        self._miss = log1p(-high) - log1p(-low)
        self._yes = log((1.0 - false_no) / false_yes)
        self._no = log(false_no / (1.0 - false_yes))
        zero = np.int64(0)
        super().__init__(keys, {"rows": zero, "hits": zero, "decision": zero})

    def update(self, slots: ArrayLike, holds: ArrayLike) -> Ints:
        """Take rows in; returns the decision of each row's key after it: 1 for yes, -1 for no, 0 for not yet.

        Args:
            slots: of each row (n,); one may occur several times.
            holds: whether the condition holds in that draw (n,).
        """
        places = checked_slots(slots, self.keys)
        ones = checked_bools("holds", holds, len(places))
        running = Running(places)
        table = self._table
        rows = running.sums(np.ones_like(ones), table["rows"])
        hits = running.sums(ones, table["hits"])
        said = self._said(hits, rows)
        undecided = table["decision"][places] == 0
        last = running.last[undecided[running.last]]
        first = running.first(undecided & (said != 0))
        # a key that has just been decided has the counts of that row, not of its last
        for chosen in (last, first):
            table["rows"][places[chosen]] = rows[chosen]
            table["hits"][places[chosen]] = hits[chosen]
        table["decision"][places[first]] = said[first]
        result: Ints = np.where(rows >= table["rows"][places], table["decision"][places], 0)
        return result

    def decision(self, slots: ArrayLike) -> Ints:
        """1 for yes, -1 for no, 0 for not yet, of these keys."""
        found: Ints = self._table["decision"][checked_slots(slots, self.keys)]
        return found

    def used(self, slots: ArrayLike) -> Ints:
        """Draws that were counted of these keys."""
        found: Ints = self._table["rows"][checked_slots(slots, self.keys)]
        return found

    def _said(self, hits: Ints, rows: Ints) -> Ints:
        ratio = hits * self._hit + (rows - hits) * self._miss
        return (ratio >= self._yes).astype(np.int64) - (ratio <= self._no)


def sequential_decision(
    holds: ArrayLike,
    threshold: float = 0.5,
    *,
    margin: float = 0.05,
    false_yes: float = 0.05,
    false_no: float = 0.05,
) -> tuple[Ints, Ints]:
    """Decide for each row from its worlds, (worlds, n), in order: `SequentialTest` at once.

    Returns:
        The decisions (n,): 1, -1, or 0 if the worlds were too few; and the worlds that were needed (n,).
    """
    worlds: NDArray[Any] = np.asarray(holds)
    if worlds.ndim != 2:
        raise ValueError(f"holds is of shape {worlds.shape}: give (worlds, n)")
    count, rows = int(worlds.shape[0]), int(worlds.shape[1])
    test = SequentialTest(
        threshold, margin=margin, false_yes=false_yes, false_no=false_no, keys=rows
    )
    slots: NDArray[np.intp] = np.arange(rows)
    test.update(np.tile(slots, count), worlds.reshape(-1))
    return test.decision(slots), test.used(slots)
