"""Awaiting: kernels that keep what they said of each element until its label comes, and learn from that."""

from __future__ import annotations

from abc import abstractmethod
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from rxml.eventtime.keyed.agreeing import require_same
from rxml.eventtime.reading import label_of
from rxml.learning.hearing import Hearing
from rxml.learning.identity import ids_of, require_ids
from rxml.learning.label import missing
from rxml.uncertain.calibration.labels import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.keyed.placement import Placement
    from rxml.eventtime.reading import Column
    from rxml.learning.label import Label
    from rxml.uncertain.calibration.labels import Id, Ledger

Floats: TypeAlias = NDArray[np.float64]

_NEVER: Final = -(2**63)


class Awaiting(Hearing):
    """Says something of each element, keeps what it must know when the label comes, and learns from it then.

    A label finds its element by the id. It counts for the key that the element had, unless the state of that key was
    given up since: then it teaches nobody, least of all the key that has the slot now.

    Args:
        where: the key of an element, and its time if labels expire.
        ids: the id of an element.
        ledger: of what waits for labels, for so many numbers an element.
    """

    def __init__(self, where: Where, ids: Column, ledger: Callable[[int], Ledger]) -> None:
        super().__init__(where)
        self._ids = ids
        self._new_ledger = ledger
        self._ledger: Ledger | None = None
        self._early = 0
        self._lives: NDArray[np.int64] = np.zeros(0, np.int64)

    @property
    def counts(self) -> Counts:
        """What became of predictions and labels."""
        counts = Counts() if self._ledger is None else self._ledger.counts
        counts.unknown += self._early
        return counts

    @abstractmethod
    def facts(self, items: Sequence[Any], ids: Sequence[Id]) -> Floats:
        """What is to be known of each element, shape (n, k); nothing is changed."""

    @abstractmethod
    def begin(self, capacity: int, fresh: NDArray[np.intp]) -> None:
        """Have room for so many keys; of those in these slots nothing is known."""

    @abstractmethod
    def say(
        self, items: Sequence[Any], slots: NDArray[np.intp], facts: Floats
    ) -> tuple[Sequence[Any], Floats]:
        """The results, and what is to be kept of each, shape (n, width); it changes nothing that another row sees."""

    @abstractmethod
    def truths(self, values: Sequence[Any], width: int) -> Floats:
        """The values of labels as numbers, shape (n,); raises if one is none, and changes nothing.

        Args:
            values: of labels, none of them None or NaN.
            width: numbers that are kept with an element.
        """

    @abstractmethod
    def learn(self, slots: NDArray[np.intp], kept: Floats, truths: Floats) -> None:
        """Labels came to elements whose keys' state is there."""

    def told(
        self, slots: NDArray[np.intp], alive: NDArray[np.bool_], kept: Floats, truths: Floats
    ) -> None:
        """Labels came, to whatever key (n >= 0), or counts have changed; called after `learn`.

        Args:
            slots: of the elements.
            alive: whether that is the slot of their key still.
            kept: see `say`.
            truths: see `truths`.
        """

    @abstractmethod
    def saved(self) -> dict[str, Any]:
        """The state, beside what waits."""

    @abstractmethod
    def resume(self, state: dict[str, Any]) -> None:
        """Go on from what `saved` gave."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """What learns, in words; equal words read each other's states."""

    @property
    def _words(self) -> str:
        return f"{self.kind} by {label_of(self._ids)} of {self._where.words}"

    @override
    def read(self, items: Sequence[Any], times: NDArray[np.int64]) -> tuple[list[Id], Floats]:
        ids = ids_of(items, self._ids)
        return ids, self.facts(items, ids)

    @override
    def work(
        self,
        items: Sequence[Any],
        times: NDArray[np.int64],
        given: tuple[list[Id], Floats],
        placed: Placement,
    ) -> Sequence[Any]:
        ids, facts = given
        self._make_room(np.array(placed.fresh, np.intp))
        results, kept = self.say(items, placed.codes, facts)
        lives = self._lives[placed.codes].astype(np.float64)
        whole = np.concatenate([lives[:, None], kept], axis=1)
        self._waiting(whole.shape[1]).put(ids, times, placed.codes, whole)
        return results

    def _make_room(self, fresh: NDArray[np.intp]) -> None:
        capacity = self._roster.table.capacity
        more = capacity - len(self._lives)
        if more > 0:
            self._lives = np.concatenate([self._lives, np.zeros(more, np.int64)])
        self._lives[fresh] += 1
        self.begin(capacity, fresh)

    def _waiting(self, width: int) -> Ledger:
        if self._ledger is None:
            self._ledger = self._new_ledger(width)
        return self._ledger

    @override
    def hear(self, labels: Sequence[Label]) -> None:
        require_ids([label.id for label in labels])
        if self._ledger is None:
            self._early += len(labels)
            return
        told = [label.value for label in labels if not missing(label)]
        truths = iter(self.truths(told, self._ledger.width - 1).tolist())
        for unknown, run in groupby(labels, missing):
            alike = list(run)
            if unknown:
                self._ledger.abstain([label.id for label in alike])
                self._tell_counts(self._ledger)
            else:
                self._settle(self._ledger, alike, np.array([*islice(truths, len(alike))]))

    def _settle(self, ledger: Ledger, labels: list[Label], truths: Floats) -> None:
        taken = ledger.take(
            [label.id for label in labels], _times([label.time for label in labels])
        )
        alive = (self._lives[taken.slots] == taken.values[:, 0]) & self._in_use(taken.slots)
        kept, came = taken.values[:, 1:], truths[taken.rows]
        if alive.any():
            self.learn(taken.slots[alive], kept[alive], came[alive])
        self.told(taken.slots, alive, kept, came)

    def _in_use(self, slots: NDArray[np.intp]) -> NDArray[np.bool_]:
        keys = self._roster.table.keys_of(slots)
        return np.array([key is not None for key in keys], np.bool_)

    @override
    def advance(self, watermark: int) -> Sequence[Any]:
        if self._ledger is not None and self._ledger.advance(watermark):
            self._tell_counts(self._ledger)
        return super().advance(watermark)

    def _tell_counts(self, ledger: Ledger) -> None:
        nothing = np.empty(0, np.intp)
        self.told(nothing, nothing == 0, np.empty((0, ledger.width - 1)), np.empty(0))

    @override
    def snapshot(self) -> Any:
        ledger = None if self._ledger is None else [self._ledger.width, self._ledger.snapshot()]
        waiting = [ledger, self._early, self._lives.copy()]
        return [self._words, self._roster.snapshot(), waiting, self.saved()]

    @override
    def restore(self, state: Any) -> None:
        words, roster, (ledger, early, lives), saved = state
        require_same(words, self._words)
        self._roster.restore(roster)
        self._early, self._lives = early, np.array(lives, np.int64)
        if ledger is not None:
            self._waiting(ledger[0]).restore(ledger[1])
        self.resume(saved)


def _times(times: Sequence[int | None]) -> NDArray[np.int64]:
    """Each by itself: a label without a time comes before all expiry, whatever those beside it have."""
    return np.array([_NEVER if time is None else time for time in times], np.int64)
