"""Quantiles of KLL stand where they should, up to the error of the rank that the library states."""

from __future__ import annotations

import math
import sys
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml import aggregates as agg
from rxml import wire
from rxml.aggregates.states import plain, restored
from rxml.batch.extras import extra_module
from rxml.errors import SchemaError
from tests.unit.aggregates.rows import array, rows, same

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.aggregates import Aggregate, State

QS = (0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0)
SKETCH = extra_module("datasketches", "kll").kll_doubles_sketch
NUMBERS = st.floats(allow_nan=False)


def shares(values: NDArray[np.float64], got: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each answer stands from where it should, as a part of all values; 0 within a run of equal ones."""
    ordered, n = np.sort(values), len(values)
    low, high = (np.searchsorted(ordered, got, side) for side in ("left", "right"))
    wanted = np.floor(np.array(QS) * (n - 1))
    away: NDArray[np.float64] = np.maximum(low - wanted, wanted - (high - 1))
    return np.maximum(away, 0) / n


def bound(k: int) -> float:
    """The stated error is met by 99 % of answers: 2.6 standard deviations. This is 7.7, missed once in 10**14."""
    return 3 * float(SKETCH.get_normalized_rank_error(k, False))


def taken(aggregate: Aggregate, values: NDArray[np.float64], codes: NDArray[np.intp]) -> State:
    """Rows lifted, folded and combined in pieces, as windows do."""
    pieces: list[State] = []
    for number, at in enumerate(np.array_split(np.arange(len(values)), 7)):
        piece = rows(values[at], codes=codes[at])
        if number % 2:
            pieces.append(piece.lifted(aggregate, 4))
        else:
            state = aggregate.identity(4)
            aggregate.folding(piece.values, piece.times)(state, piece.codes)
            pieces.append(state)
    return reduce(aggregate.combine, pieces)


@given(values=st.lists(NUMBERS, min_size=1, max_size=40), cut=st.integers(0, 40))
def test_up_to_k_rows_they_are_exact(values: list[float], cut: int) -> None:
    aggregate = agg.quantiles_kll("v", QS, k=40)
    parts = [rows(np.array(part)).lifted(aggregate, 1) for part in (values[:cut], values[cut:])]
    (got,) = aggregate.lower(aggregate.combine(*parts))
    assert got.tolist() == [sorted(values)[math.floor(q * (len(values) - 1))] for q in QS]


@pytest.mark.parametrize("k", [32, 200])
def test_ranks_are_within_the_stated_error(k: int) -> None:
    random = np.random.default_rng(k)
    values = np.concatenate([random.lognormal(0, 9, 9000), -random.pareto(1, 9000), np.zeros(4000)])
    codes = random.permutation(np.arange(len(values)) % 4)
    aggregate = agg.quantiles_kll("v", QS, k=k)
    got = aggregate.lower(taken(aggregate, values, codes))
    for group in range(4):
        mine = values[codes == group]
        assert shares(mine, got[group]).max() <= bound(k)
        assert got[group][[0, -1]].tolist() == [mine.min(), mine.max()]


def test_of_a_hundred_sketches_about_one_may_miss_the_stated_error() -> None:
    values = np.random.default_rng(7).permutation(np.arange(3000.0))
    groups = 100
    many = rows(np.tile(values, groups), codes=np.repeat(np.arange(groups), len(values)))
    got = many.result(agg.quantiles_kll("v", QS, k=64), groups)
    misses = sum((shares(values, each) > bound(64) / 3).any() for each in got)
    assert misses <= 12  # one on average, at most: more than 12 once in 10**9


def test_a_sketch_stays_small_and_goes_through_the_wire_in_its_own_bytes() -> None:
    aggregate = agg.quantiles_kll("v", QS)
    values = np.random.default_rng(1).normal(size=100_000)
    state = rows(values).lifted(aggregate, 2)
    parts = wire.loads(wire.dumps(plain(state)))
    assert len(parts[1][0]) < 5000
    assert parts[1][1] is None
    assert SKETCH.deserialize(parts[1][0]).n == 100_000
    assert same(aggregate.lower(restored(parts, aggregate)), aggregate.lower(state))


def test_infinities_are_kept_and_nan_is_seen_whatever_comes_later() -> None:
    aggregate = agg.quantiles_kll("v", (0, 0.5, 1))
    values = [-math.inf, 1.0, math.inf, math.nan, math.nan]
    state = rows(values, codes=[0, 0, 0, 1, 2]).lifted(aggregate, 4)
    later = rows([3.0, 3.0, 3.0], codes=[0, 1, 3]).lifted(aggregate, 4)
    got = aggregate.lower(aggregate.combine(state, later))
    assert got[[0, 3]].tolist() == [[-math.inf, 1.0, math.inf], [3.0, 3.0, 3.0]]
    assert np.isnan(got[1:3]).all()


def test_shapes_and_groups_without_rows() -> None:
    assert rows([1.0]).result(agg.quantiles_kll("v", [0.5]), 2).shape == (2, 1)
    one = rows([1, 2, 3]).result(agg.quantile_kll("v"), 2)
    assert one[0] == 2.0
    assert np.isnan(one[1])


def test_bytes_of_something_else_are_refused() -> None:
    aggregate = agg.quantile_kll("v")
    for held in (b"", b"\xff" * 90, "text"):
        state = restored([np.zeros(1, np.bool_), [held]], aggregate)
        with pytest.raises(SchemaError, match=r"quantile_kll\('v'.* got bytes that are no KLL"):
            aggregate.lower(state)


def test_missing_values_are_refused() -> None:
    with pytest.raises(SchemaError, match="row 0: column 'v' has no value"):
        rows(array([None], "O")).lifted(agg.quantile_kll("v"), 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"q": 1.5}, r"q is \(1\.5,\): give at least one, each from 0 to 1"),
        ({"k": 7}, "k is 7: give an int from 8 to 65535"),
        ({"k": 65536}, "k is 65536: give an int from 8 to 65535"),
    ],
)
def test_what_no_sketch_can_do_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        agg.quantile_kll("v", **arguments)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasketches", None)
    with pytest.raises(ModuleNotFoundError, match=r"with the extra 'kll', rxml\[kll\]"):
        agg.quantile_kll("v")
