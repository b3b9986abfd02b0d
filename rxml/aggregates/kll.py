"""Quantiles with a bound on the error of their rank: KLL sketches of the library `datasketches`, extra `kll`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate, require_whole
from rxml.aggregates.quantiles import require_quantiles
from rxml.aggregates.sorts import floats
from rxml.batch.extras import extra_module
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column, Fold, State


class QuantilesKll(Aggregate):
    """A KLL sketch for each group. State: whether a NaN was there (bool), the sketch in its own bytes (object).

    None stands for no rows. Karnin, Lang, Liberty, "Optimal Quantile Approximation in Streams", FOCS 2016, as Apache
    DataSketches has it. Which of two neighbours is kept when a sketch is made smaller is drawn by lot, and the library
    takes no seed. So states are no function of the rows once a group has more than k: only their error is bounded.
    """

    q: tuple[float, ...]
    k: int

    def __init__(self, column: Column, q: Sequence[float], k: int) -> None:
        super().__init__(column)
        self.q = require_quantiles(q)
        self.k = require_whole("k", k, 8, 65535)
        self._kind = extra_module("datasketches", "kll").kll_doubles_sketch

    @override
    def identity(self, groups: int) -> State:
        return np.zeros(groups, np.bool_), np.empty(groups, object)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        state = self.identity(groups)
        self._take(state, codes, floats(self.columns[0], values[0]))
        return state

    @override
    def folding(self, values: Sequence[NDArray[Any]], times: NDArray[np.int64]) -> Fold:
        """What takes rows into states, one by one: the same bits while a group has no more than k rows."""
        column = floats(self.columns[0], values[0])

        def fold(state: State, places: NDArray[np.intp]) -> None:
            self._take(state, places, column)

        return fold

    def _take(self, state: State, places: NDArray[np.intp], column: NDArray[np.float64]) -> None:
        bad, sketches = state
        lost = np.isnan(column)
        bad[places[lost]] = True
        sound = np.flatnonzero(~lost)
        if not len(sound):
            return
        order = sound[np.argsort(places[sound], kind="stable")]
        groups, starts = np.unique(places[order], return_index=True)
        for group, rows in zip(groups.tolist(), np.split(column[order], starts[1:]), strict=True):
            sketch = self._sketch(sketches[group])
            sketch.update(rows)
            sketches[group] = sketch.serialize()

    def _sketch(self, held: Any) -> Any:
        """A sketch that may be changed, of bytes or of None.

        Raises:
            SchemaError: the bytes are of none.
        """
        if held is None:
            return self._kind(self.k)
        try:
            return self._kind.deserialize(held)
        except (IndexError, RuntimeError, TypeError, ValueError) as error:
            text = f"{self!r}: got bytes that are no KLL sketch of float64 ({error})"
            raise SchemaError(f"{text}: give those that a state of this aggregate had") from error

    @override
    def combine(self, left: State, right: State) -> State:
        sketches = left[1].copy()
        for group, other in enumerate(right[1].tolist()):
            if sketches[group] is None:
                sketches[group] = other
            elif other is not None:
                merged = self._sketch(sketches[group])
                merged.merge(self._sketch(other))
                sketches[group] = merged.serialize()
        return left[0] | right[0], sketches

    @override
    def lower(self, state: State) -> NDArray[Any]:
        result = np.full((len(state[0]), len(self.q)), np.nan)
        for group, held in enumerate(state[1].tolist()):
            if held is not None:
                result[group] = self._answers(self._sketch(held))
        result[state[0]] = np.nan
        return result

    def _answers(self, sketch: Any) -> NDArray[np.float64]:
        """The values at floor(q (n - 1)) of n sorted ones; the least and the greatest are known exactly."""
        at = np.floor(np.array(self.q) * (sketch.n - 1))
        middles = (at + 0.5) / sketch.n  # so that no rounding leads to a neighbour
        found = np.array(sketch.get_quantiles(middles.tolist(), inclusive=True))
        found[at == sketch.n - 1] = sketch.get_max_value()
        found[at == 0] = sketch.get_min_value()
        return found


class QuantileKll(QuantilesKll):
    """The same sketch, asked for one quantile."""

    @override
    def lower(self, state: State) -> NDArray[Any]:
        return super().lower(state)[:, 0]


def quantiles_kll(
    column: Column, q: Sequence[float] = (0.5, 0.95, 0.99), k: int = 200
) -> Aggregate:
    """Several quantiles of a column, of shape (groups, len(q)), within an error of their rank. Extra: `kll`.

    The q-quantile of n sorted values is the one at floor(q (n - 1)), as in `quantiles`. For a group of up to k rows it
    is exact, and so are the least and the greatest value of any. Above, a value comes out that stands within e n of
    that place, with a probability of 99 % for each q: e is about 2.296 / k^0.9723, so 1.33 % at 200 (Apache
    DataSketches, `kll_doubles_sketch.get_normalized_rank_error(k, False)`). This holds whatever the values are, where
    `quantiles` bounds the error of the value: prefer this where values spread over many orders of magnitude or cross
    zero, or what counts is the rank.

    The sketch draws lots, without a seed: above k rows, a replay, or the same rows cut elsewhere, gives another
    number with the same bound. Take `quantiles` where the same rows must give the same number.

    Infinities are kept; a NaN makes the quantiles NaN, and so does a group without rows.

    Args:
        column: numbers; none may be missing.
        q: which quantiles, each from 0 to 1.
        k: size of the sketch, from 8 to 65535: a group takes about 8 bytes a row up to k rows, and 3 k values at most
            (4.4 KB at 200 and 10,000 rows).

    Raises:
        ModuleNotFoundError: the extra `kll` is not installed.
    """
    return QuantilesKll(column, q, k)


def quantile_kll(column: Column, q: float = 0.5, k: int = 200) -> Aggregate:
    """One quantile of a column, of shape (groups,), within an error of its rank: the median if nothing is said.

    Args:
        column: numbers; none may be missing.
        q: which quantile, from 0 to 1.
        k: size of the sketch, as in `quantiles_kll`, which says what is promised.

    Raises:
        ModuleNotFoundError: the extra `kll` is not installed.
    """
    return QuantileKll(column, (q,), k)
