"""Quantiles with a bound on the relative error: DDSketch, for many groups at once."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias, cast

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate, require_whole
from rxml.aggregates.sorts import floats
from rxml.aggregates.states import cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column, State

    Ints: TypeAlias = NDArray[np.int64]

_ZERO_AT: Final = 2**40
"""Bin k of positive values has the key 2**40 + k, the same of negative ones its opposite, and zero 0: keys are in
the order of values. |k| < 2**31 for any float64 and accuracy that is admitted."""
_INFINITE: Final = 2**62
_NAN: Final = 2**63 - 1
_TINY: Final = float(np.finfo(np.float64).tiny)
_HUGE: Final = float(np.finfo(np.float64).max)


class Quantiles(Aggregate):
    """A DDSketch for each group. State: an object for each, an int64 array of (2, bins): keys in order, counts.

    None stands for no rows. Masson, Rim, Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
    Relative-Error Guarantees", VLDB 2019: bin k holds the values in (gamma^(k-1), gamma^k], gamma =
    (1 + accuracy) / (1 - accuracy), and answers for them with 2 gamma^k / (gamma + 1). Above `max_bins` bins
    the lowest are merged into the next: which ones does not depend on how the rows were cut.
    """

    exact: ClassVar[bool] = True

    q: tuple[float, ...]
    accuracy: float
    max_bins: int

    def __init__(self, column: Column, q: Sequence[float], accuracy: float, max_bins: int) -> None:
        super().__init__(column)
        self.q = require_quantiles(q)
        if not 1e-6 <= accuracy <= 0.5:
            raise ValueError(f"accuracy is {accuracy}: give a relative error from 1e-6 to 0.5")
        self.accuracy = accuracy
        self.max_bins = require_whole("max_bins", max_bins, 2)
        self._step = float(np.log1p(2 * accuracy / (1 - accuracy)))

    @override
    def identity(self, groups: int) -> State:
        return (np.empty(groups, object),)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        keys = self._keys(floats(self.columns[0], values[0]))
        return (self._sketches(codes, keys, np.ones(len(keys), np.int64), groups),)

    @override
    def combine(self, left: State, right: State) -> State:
        both = [row for row, one in enumerate(right[0]) if one is not None]
        result = left[0].copy()
        clash = [row for row in both if result[row] is not None]
        result[both] = right[0][both]
        if clash:
            sketches = [*left[0][clash], *right[0][clash]]
            codes, keys, counts = _spread(sketches, np.tile(np.arange(len(clash)), 2))
            result[clash] = self._sketches(codes, keys, counts, len(clash))
        return (result,)

    @override
    def lower(self, state: State) -> NDArray[Any]:
        result = np.full((len(state[0]), len(self.q)), np.nan)
        held = [row for row, one in enumerate(state[0]) if one is not None]
        if held:
            codes, keys, counts = _spread(state[0][held], np.arange(len(held)))
            result[held] = self._answers(codes, keys, counts, len(held))
        return result

    def _keys(self, column: NDArray[np.float64]) -> Ints:
        size = np.abs(column)
        sound = np.isfinite(column) & (size >= _TINY)
        bins = np.ceil(np.log(np.where(sound, size, 1.0)) / self._step).astype(np.int64)
        keys = np.where(sound, bins + _ZERO_AT, 0)
        keys[np.isinf(column)] = _INFINITE
        keys = np.where(column < 0, -keys, keys)
        keys[np.isnan(column)] = _NAN
        return keys

    def _values(self, keys: Ints) -> NDArray[np.float64]:
        bins = np.abs(keys) - _ZERO_AT
        middle = np.log(2.0) - np.log1p(np.exp(self._step))
        sound = (keys != 0) & (np.abs(keys) < _INFINITE)
        size = np.where(sound, np.where(sound, bins, 0) * self._step + middle, 0.0)
        with np.errstate(over="ignore"):  # the middle of the uppermost bin
            size = np.where(sound, np.minimum(np.exp(size), _HUGE), 0.0)
        size[np.abs(keys) == _INFINITE] = np.inf
        size[keys == _NAN] = np.nan
        signed: NDArray[np.float64] = np.where(keys < 0, -size, size)
        return signed

    def _sketches(
        self, codes: NDArray[np.intp], keys: Ints, counts: Ints, groups: int
    ) -> NDArray[Any]:
        """The sketch of each group, of counts at keys in any order."""
        result = np.empty(groups, object)
        if not len(keys):
            return result
        codes, keys, counts = _summed(codes, keys, counts)
        codes, keys, counts = self._collapsed(codes, keys, counts, groups)
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        pairs = np.stack([keys, counts])
        ends = [*starts[1:].tolist(), len(keys)]
        result[codes[starts]] = cells(
            pairs[:, start:end].copy() for start, end in zip(starts.tolist(), ends, strict=True)
        )
        return result

    def _collapsed(
        self, codes: NDArray[np.intp], keys: Ints, counts: Ints, groups: int
    ) -> tuple[NDArray[np.intp], Ints, Ints]:
        """The same with no more than `max_bins` keys a group: lower ones become the lowest that is kept."""
        bins = np.bincount(codes, minlength=groups)
        if bins.max() <= self.max_bins:
            return codes, keys, counts
        ends = np.cumsum(bins)
        lowest = np.maximum(ends - self.max_bins, ends - bins)  # where it stands, of each group
        kept = np.maximum(np.arange(len(keys)), lowest[codes])
        return _summed(codes, keys[kept], counts)

    def _answers(
        self, codes: NDArray[np.intp], keys: Ints, counts: Ints, groups: int
    ) -> NDArray[np.float64]:
        values = self._values(keys)
        ends = np.cumsum(np.bincount(codes, minlength=groups)) - 1
        up_to = np.cumsum(counts)
        before = np.concatenate([[0], up_to[ends[:-1]]])
        ranks = np.floor(np.outer(up_to[ends] - before - 1, self.q)).astype(np.int64)
        places = np.searchsorted(up_to, ranks + before[:, None], side="right")
        result: NDArray[np.float64] = values[places]
        result[keys[ends] == _NAN] = np.nan
        return result


class Quantile(Quantiles):
    """The same sketch, asked for one quantile."""

    @override
    def lower(self, state: State) -> NDArray[Any]:
        return super().lower(state)[:, 0]


def require_quantiles(q: object) -> tuple[float, ...]:
    """Quantiles that are asked for, each from 0 to 1.

    Raises:
        TypeError: they are no sequence of numbers.
        ValueError: there is none, or one is out of bounds.
    """
    if isinstance(q, str) or not isinstance(q, Sequence | np.ndarray):
        raise TypeError(f"q is {q!r} ({type(q).__name__}): give a sequence, such as (0.5, 0.99)")
    given = tuple(map(_number, cast("Sequence[object]", q)))
    wrong = [each for each in given if not 0 <= each <= 1]
    if wrong or not given:
        raise ValueError(f"q is {given}: give at least one, each from 0 to 1, such as 0.99")
    return given


def _number(q: object) -> float:
    if isinstance(q, bool) or not isinstance(q, Real):
        raise TypeError(f"q is {q!r} ({type(q).__name__}): give a number from 0 to 1")
    return float(q)


def _spread(
    sketches: Sequence[Any] | NDArray[Any], owners: NDArray[np.intp]
) -> tuple[NDArray[np.intp], Ints, Ints]:
    """The bins of several sketches, one after the other, each with its owner."""
    bins = np.concatenate(list(sketches), axis=1)
    return np.repeat(owners, [one.shape[1] for one in sketches]), bins[0], bins[1]


def _summed(
    codes: NDArray[np.intp], keys: Ints, counts: Ints
) -> tuple[NDArray[np.intp], Ints, Ints]:
    """In the order of groups and keys, with one count for each key of a group."""
    order = np.lexsort((keys, codes))
    codes, keys, counts = codes[order], keys[order], counts[order]
    new = (np.diff(codes, prepend=-1) != 0) | (np.diff(keys, prepend=0) != 0)
    new[0] = True
    starts = np.flatnonzero(new)
    return codes[starts], keys[starts], np.add.reduceat(counts, starts)


def quantiles(
    column: Column,
    q: Sequence[float] = (0.5, 0.95, 0.99),
    accuracy: float = 0.01,
    max_bins: int = 2048,
) -> Aggregate:
    """Several quantiles of a column, of shape (groups, len(q)), within a relative error.

    The q-quantile of n sorted values is the one at floor(q (n - 1)), as numpy's with method="lower"; the answer is
    within `accuracy` of it, relative to its size, whatever its sign. Below 2.2e-308 in size a value counts as zero.
    Infinities are kept; a NaN makes the quantiles NaN, and so does a group without rows.

    Args:
        column: numbers; none may be missing.
        q: which quantiles, each from 0 to 1.
        accuracy: the relative error, from 1e-6 to 0.5.
        max_bins: bins that a group may have (16 bytes each), at least 2. Above it the lowest are merged, and
            quantiles that fall there lose the guarantee; at an accuracy of 0.01, 2048 bins hold positive values
            over 17 decimal orders of magnitude.
    """
    return Quantiles(column, q, accuracy, max_bins)


def quantile(
    column: Column, q: float = 0.5, accuracy: float = 0.01, max_bins: int = 2048
) -> Aggregate:
    """One quantile of a column, of shape (groups,): the median if nothing is said.

    Args:
        column: numbers; none may be missing.
        q: which quantile, from 0 to 1.
        accuracy: the relative error, as in `quantiles`.
        max_bins: bins that a group may have, as in `quantiles`.
    """
    return Quantile(column, (q,), accuracy, max_bins)
