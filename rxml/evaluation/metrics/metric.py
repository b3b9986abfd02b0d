"""What every metric does: take columns, leave out rows without a prediction and count them, tell a value with an interval."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from typing_extensions import override

from rxml.evaluation.metrics.keeping import Keeper
from rxml.evaluation.metrics.rows import grown
from rxml.uncertain.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from rxml.evaluation.metrics.bounds import Bounds
    from rxml.evaluation.metrics.rows import Slots
    from rxml.uncertain.checks import Floats

K = TypeVar("K", bound=Keeper)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows that a metric can take in.

    Args:
        slots: of rows that lack nothing, (n,).
        skipped: the slots of the others.
        columns: what the keeper takes, each (n,).
    """

    slots: Slots
    skipped: Slots
    columns: tuple[NDArray[Any], ...]


class Metric(ABC, Generic[K]):
    """A number about predictions, kept for each slot while rows come, with an interval that says how sure it is.

    A row that lacks a column (NaN or None) is left out and counted. Row by row, in batches, or rebatched anyhow, the
    state is the same to the last bit.

    Args:
        needs: the columns that it is told, in order.
        kept: what keeps the rows.
    """

    needs: tuple[str, ...]
    kept: K
    skipped: NDArray[np.int64]

    def __init__(self, needs: tuple[str, ...], kept: K) -> None:
        self.needs = needs
        self.kept = kept
        self.skipped = np.zeros(1, np.int64)

    @property
    def slots(self) -> int:
        """How many there are: 1 at first."""
        return self.kept.slots

    def grow(self, slots: int) -> None:
        """Have at least so many slots; new ones without rows."""
        self.kept.grow(slots)
        self.skipped = grown(self.skipped, slots)

    def forget(self, slots: Slots) -> None:
        """Have no rows in these slots, which are given to others."""
        self.kept.forget(slots)
        self.skipped[slots] = 0

    def update(self, *columns: ArrayLike, slots: Slots | None = None) -> None:
        """Take rows in, in order.

        Args:
            columns: as `needs` names them, each (n,), or (n, K) for the probabilities of K classes, or one for all.
            slots: of each row, (n,); they may repeat. All of slot 0 if not given.

        Raises:
            ValueError: there are more or fewer columns, or of different lengths, or a slot that there is not.
            DistributionError: a row is none that can be judged; nothing is taken in then.
        """
        self.take(self.prepared(*columns, slots=slots))

    def prepared(self, *columns: ArrayLike, slots: Slots | None = None) -> Prepared:
        """As `update`, but only looked at: `take` takes them in."""
        arrays, at = self._columns(columns, slots)
        there = np.ones(len(at), np.bool_)
        for array in arrays:
            there &= present(array)
        rows = self._rows(*(array[there] for array in arrays))
        return Prepared(at[there], at[~there], rows)

    def take(self, rows: Prepared) -> None:
        """Take in what was prepared; never fails."""
        np.add.at(self.skipped, rows.skipped, 1)
        self.kept.take(rows.slots, *rows.columns)

    def _columns(
        self, columns: tuple[ArrayLike, ...], slots: Slots | None
    ) -> tuple[list[NDArray[Any]], Slots]:
        if len(columns) != len(self.needs):
            raise ValueError(
                f"{type(self).__name__} wants {', '.join(self.needs)}, got {len(columns)} columns"
            )
        arrays = [np.asarray(column) for column in columns]
        n = max((len(array) for array in arrays if array.ndim), default=1)
        arrays = [array if array.ndim else np.broadcast_to(array, n) for array in arrays]
        at = np.zeros(n, np.intp) if slots is None else np.asarray(slots, np.intp)
        lengths = [len(array) for array in arrays]
        if {n, len(at)} != {n, *lengths}:
            raise ValueError(
                f"{', '.join(self.needs)} want one length, got {lengths} and {len(at)} slots"
            )
        if len(at) and not 0 <= at.min() <= at.max() < self.slots:
            raise ValueError(
                f"slots want numbers of 0..{self.slots - 1} (see grow), got {at.min()}..{at.max()}"
            )
        return arrays, at

    @abstractmethod
    def _rows(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """What the keeper takes, of columns without missing rows."""

    @abstractmethod
    def value(self, slots: Slots | None = None) -> Floats:
        """What it is now for each of the slots, or for all; NaN where that is not known."""

    @abstractmethod
    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        """Lower and upper bounds of what it would be with rows of the same kind without end.

        They take rows for independent. Without rows they are all that it can be.

        Args:
            level: the share of intervals that hold, between 0 and 1.
            slots: of which; all if not given.

        Raises:
            ValueError: the level is outside.
        """

    def _at(self, slots: Slots | None) -> Slots:
        return np.arange(self.slots) if slots is None else np.asarray(slots, np.intp)

    def merge(self, other: Metric[K]) -> None:
        """Have the rows of the other, which is set alike, too, slot by slot.

        Raises:
            ValueError: it is of another kind or setting, or of the last rows only.
        """
        self.require_mergeable(other)
        self.kept.merge(other.kept)
        self.grow(other.slots)
        self.skipped[: len(other.skipped)] += other.skipped

    def require_mergeable(self, other: Metric[K]) -> None:
        """Whether `merge` can.

        Raises:
            ValueError: it cannot.
        """
        if type(self) is not type(other) or self.setting() != other.setting():
            raise ValueError(
                f"only metrics that are set alike can be merged, got {self!r} and {other!r}"
            )
        self.kept.require_mergeable(other.kept)

    def setting(self) -> list[Any]:
        """What it is set to, besides how long it remembers: plain values."""
        return []

    @override
    def __repr__(self) -> str:
        said = ", ".join(map(repr, [*self.setting(), self.kept.memory]))
        return f"{type(self).__name__}({said})"

    def snapshot(self) -> dict[str, Any]:
        """Its state: plain values and copies of arrays."""
        kept = self.kept.snapshot()
        return {"setting": self.setting(), "kept": kept, "skipped": self.skipped.copy()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Be as when the snapshot was taken.

        Raises:
            ValueError: it is of a metric that is set otherwise.
        """
        if list(state["setting"]) != self.setting():
            raise ValueError(
                f"the snapshot is of a metric set to {state['setting']}, this one is {self!r}"
            )
        self.kept.restore(state["kept"])
        self.skipped = np.array(state["skipped"])


def present(column: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows are neither None nor NaN, in any of their classes."""
    if column.dtype.kind == "f":
        missing: NDArray[np.bool_] = np.isnan(column)
    elif column.dtype.kind == "O":
        missing = np.array([_is_missing(x) for x in column.flat], np.bool_)
        missing = missing.reshape(column.shape)
    else:
        return np.ones(len(column), np.bool_)
    return ~np.asarray(missing.any(axis=tuple(range(1, missing.ndim))))


def _is_missing(value: Any) -> bool:
    """None, or what is not equal to itself: NaN. Of distributions that would be a probability."""
    return value is None or (not isinstance(value, Rows) and bool(value != value))  # noqa: PLR0124
