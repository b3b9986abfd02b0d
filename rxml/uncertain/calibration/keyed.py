"""KeyedCalibrator: what calibrators share: checks, rows taken in turns, growth, snapshots."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, TypeAlias, final

import numpy as np
from typing_extensions import override

from rxml.uncertain.calibration.calibrator import require_count, require_level
from rxml.uncertain.calibration.table import (
    Table,
    checked_numbers,
    checked_slots,
    is_increasing,
    refuse,
    turns,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]

LARGEST: Final = 1e300
"""Of scores by whose range steps are measured: that of any two of these is no infinity."""
FEW: Final = 8
"""Rows that are sooner taken one by one than as arrays."""


class KeyedState:
    """State of many keys in tables of one row a key, which grow and are kept together.

    Args:
        width: numbers that are issued for a prediction.
        tables: by name; all have as many keys.
    """

    def __init__(self, width: int, tables: Mapping[str, Table]) -> None:
        self._width = width
        self._tables = dict(tables)

    @property
    def width(self) -> int:
        """How many numbers are issued, and to be kept, for a prediction."""
        return self._width

    @property
    def keys(self) -> int:
        """How many slots there are."""
        return next(iter(self._tables.values())).keys

    @property
    def nbytes(self) -> int:
        """Bytes that the state takes up, and the room that it has for more keys."""
        return sum(table.nbytes for table in self._tables.values())

    def grow(self, keys: int) -> None:
        """Have at least so many slots; new ones know nothing."""
        for table in self._tables.values():
            table.grow(keys)

    def forget(self, slots: ArrayLike) -> None:
        """Know nothing of these keys any more: their slots may be given to others. What is shared by all stays."""
        places = checked_slots(slots, self.keys)
        for table in self._tables.values():
            table.clear(places)

    def snapshot(self) -> dict[str, Any]:
        """The state, of numbers and arrays; later updates do not change it."""
        return {name: table.snapshot() for name, table in self._tables.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Be as when that was taken, by one of the same configuration.

        Raises:
            ValueError: it is not the state of such a calibrator.
        """
        if state.keys() != self._tables.keys():
            wanted, got = ", ".join(self._tables), ", ".join(map(str, state))
            raise ValueError(f"a state of {type(self).__name__} has {wanted}; got {got}")
        for name, table in self._tables.items():
            table.restore(state[name])
        lengths = {table.keys for table in self._tables.values()}
        if len(lengths) != 1:
            raise ValueError(f"a state whose tables have as many keys, got {sorted(lengths)}")


class KeyedCalibrator(KeyedState, ABC):
    """A `Calibrator` whose state is in tables.

    Args:
        level: share of cases that are to be covered, in (0, 1).
        width: numbers that are issued for a prediction.
        tables: by name; all have as many keys.
        finite: refuse scores that are infinite, or beyond 1e300.
    """

    level: float
    target: float

    def __init__(
        self, level: float, width: int, tables: Mapping[str, Table], *, finite: bool = False
    ) -> None:
        super().__init__(width, tables)
        self.level = require_level(level)
        self.target = 1.0 - self.level
        self._finite = finite

    def issue(self, slots: ArrayLike) -> Floats:
        """What holds now, of shape (n, width): column 0 is the radius, the rest is for `update`. Changes nothing.

        Args:
            slots: (n,) whole numbers below `keys`; they may repeat.
        """
        with np.errstate(under="ignore"):
            return self._issued(checked_slots(slots, self.keys))

    @final
    def update(self, slots: ArrayLike, scores: ArrayLike, issued: ArrayLike) -> None:
        """Labels have come: learn from their scores, row by row for each key.

        Args:
            slots: (n,) of the predictions.
            scores: (n,) of the labels, each against its own prediction.
            issued: (n, width) what `issue` gave for those predictions.

        Raises:
            DistributionError: scores that are NaN, or, where no such can be followed, infinite or beyond 1e300; nothing is
                learnt.
        """
        places = checked_slots(slots, self.keys)
        values = checked_numbers("scores", scores, (len(places),), finite=self._finite)
        if self._finite:
            refuse("scores", np.abs(values) > LARGEST, "beyond 1e300")
        kept = checked_numbers("issued", issued, (len(places), self._width))
        with np.errstate(under="ignore"):
            self._learn(places, values, kept)

    @abstractmethod
    def _issued(self, slots: Slots) -> Floats:
        """As `issue`, of slots that are checked."""

    @abstractmethod
    def _step(self, rows: Rows, scores: Floats, issued: Floats) -> None:
        """Learn from one score for each of these keys."""

    def _learn(self, slots: Slots, scores: Floats, issued: Floats) -> None:
        for rows, taken in turns(slots, self.keys):
            self._step(rows, scores[taken], issued[taken])


class SteppedCalibrator(KeyedCalibrator):
    """One that has a quick way for a single row too, which leaves the same numbers."""

    @abstractmethod
    def issue_one(self, slot: int) -> tuple[float, ...]:
        """What `issue` gives for one key. The slot is not checked."""

    @abstractmethod
    def update_one(self, slot: int, score: float, radius: float) -> None:
        """What `update` does for one row, of which the score is no NaN. The slot is not checked.

        Args:
            slot: of the prediction.
            score: of the label.
            radius: that was issued.
        """

    @override
    def _issued(self, slots: Slots) -> Floats:
        if len(slots) >= FEW:
            return self._issued_all(slots)
        rows = [self.issue_one(slot) for slot in slots.tolist()]
        return np.array(rows, np.float64).reshape(len(rows), self._width)

    @abstractmethod
    def _issued_all(self, slots: Slots) -> Floats:
        """As `issue`, of slots that are checked."""

    @override
    def _learn(self, slots: Slots, scores: Floats, issued: Floats) -> None:
        if self._is_narrow(slots):
            radii = issued[:, 0].tolist()
            for slot, score, radius in zip(slots.tolist(), scores.tolist(), radii, strict=True):
                self.update_one(slot, score, radius)
        else:
            super()._learn(slots, scores, issued)

    def _is_narrow(self, slots: Slots) -> bool:
        """Whether few keys have most of the rows, so that turns would be many and short."""
        if len(slots) < FEW:
            return True
        return not is_increasing(slots) and bool(len(slots) < FEW * np.bincount(slots).max())


def keys_of(keys: int) -> int:
    """A number of keys to begin with.

    Raises:
        ValueError: it is no whole number of at least 0.
    """
    return require_count("keys", keys, 0)
