"""Quantiles are within the relative error that was promised, or outside of the bins that were."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml import aggregates as agg
from rxml.aggregates.states import plain
from rxml.errors import SchemaError
from tests.unit.aggregates.rows import array, rows, same

QS = (0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0)
TINY = float(np.finfo(float).tiny)
ANY = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
NUMBERS = st.one_of(ANY, st.floats(-1e3, 1e3, allow_subnormal=False), st.sampled_from([0.0, 1.0]))


def near(got: Any, exact: Any, accuracy: float) -> bool:
    """Within the relative error; logarithms are rounded, so a value at the edge may be a bin too far."""
    return bool((np.abs(got - exact) <= accuracy * (1 + 1e-6) * np.abs(exact)).all())


@given(
    pieces=st.lists(st.lists(NUMBERS, max_size=8), min_size=1, max_size=3),
    accuracy=st.sampled_from([0.001, 0.01, 0.1]),
)
def test_each_is_within_the_relative_error(pieces: list[list[float]], accuracy: float) -> None:
    aggregate = agg.quantiles("v", QS, accuracy=accuracy)
    lifted = [rows(np.array(piece)).lifted(aggregate, 1) for piece in pieces]
    (got,) = aggregate.lower(reduce(aggregate.combine, lifted))
    values = [value for piece in pieces for value in piece]
    if not values:
        assert np.isnan(got).all()
        return
    exact = np.array([sorted(values)[math.floor(q * (len(values) - 1))] for q in QS])
    assert near(got, exact, accuracy)


@pytest.mark.parametrize("seed", range(3))
def test_each_is_within_the_relative_error_of_numpys(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = np.concatenate([random.lognormal(0, 3, 5000), -random.pareto(1, 3000), np.zeros(200)])
    codes = random.integers(0, 4, len(values))
    got = rows(values, codes=codes).result(agg.quantiles("v", QS, accuracy=0.02), 4)
    for group in range(4):
        exact = np.quantile(values[codes == group], QS, method="lower")
        assert near(got[group], exact, 0.02)


def test_above_the_bound_the_lowest_bins_are_merged_and_the_upper_ones_are_right() -> None:
    values = np.geomspace(1e-6, 1e6, 5000)
    aggregate = agg.quantiles("v", (0.01, 0.7, 0.99), max_bins=500)
    halves = [rows(values[start::2]).lifted(aggregate, 1) for start in (0, 1)]
    state = aggregate.combine(*halves)
    (sketch,) = state[0]
    assert sketch.shape == (2, 500)
    assert sketch[1].sum() == 5000
    (got,) = aggregate.lower(state)
    exact = np.quantile(values, (0.01, 0.7, 0.99), method="lower")
    assert near(got[1:], exact[1:], 0.01)
    assert got[0] > exact[0]
    assert same(state, rows(values).lifted(aggregate, 1))


@given(pieces=st.lists(st.lists(NUMBERS, max_size=6), min_size=3, max_size=3))
def test_which_bins_are_merged_does_not_depend_on_the_pieces(pieces: list[list[float]]) -> None:
    aggregate = agg.quantiles("v", max_bins=3)
    one, two, three = (rows(np.array(piece)).lifted(aggregate, 1) for piece in pieces)
    whole = rows(np.array([value for piece in pieces for value in piece])).lifted(aggregate, 1)
    combine = aggregate.combine
    assert same(combine(combine(one, two), three), whole)
    assert same(combine(one, combine(two, three)), whole)
    assert same(combine(three, combine(two, one)), whole)


def test_infinities_are_kept_and_nan_is_seen() -> None:
    values = [-math.inf, 1.0, math.inf, 5.0, math.nan]
    got = rows(values, codes=[0, 0, 0, 1, 1]).result(agg.quantiles("v", (0, 0.5, 1)), 2)
    assert got[0] == pytest.approx([-math.inf, 1.0, math.inf], rel=0.011)
    assert np.isnan(got[1]).all()


def test_the_ends_of_floats() -> None:
    ends = [-1.7e308, -TINY, 5e-324, TINY, 1.7976931348623157e308]
    got = rows(ends, codes=range(5)).result(agg.quantile("v"), 5)
    assert np.isfinite(got).all()
    assert got[2] == 0.0
    assert near(np.delete(got, 2), np.delete(np.array(ends), 2), 0.01)


def test_shapes_and_groups_without_rows() -> None:
    assert rows([1.0]).result(agg.quantiles("v", [0.5]), 2).shape == (2, 1)
    one = rows([1, 2, 3]).result(agg.quantile("v"), 2)
    assert one.shape == (2,)
    assert one[0] == pytest.approx(2.0, rel=0.01)
    assert np.isnan(one[1])


def test_a_sketch_is_small() -> None:
    values = np.random.default_rng(1).lognormal(0, 1, 100_000)
    (part,) = plain(rows(values).lifted(agg.quantile("v"), 1))
    assert part[0].nbytes < 8000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"q": 1.5}, r"q is \(1\.5,\): give at least one, each from 0 to 1"),
        ({"q": math.nan}, r"q is \(nan,\)"),
        ({"accuracy": 0.0}, r"accuracy is 0\.0: give a relative error from 1e-6 to 0\.5"),
        ({"accuracy": 1.0}, r"accuracy is 1\.0"),
        ({"max_bins": 1}, r"max_bins is 1: give an int at least 2"),
    ],
)
def test_what_no_sketch_can_do_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        agg.quantile("v", **arguments)


def test_no_quantiles_are_refused() -> None:
    with pytest.raises(ValueError, match=r"q is \(\): give at least one"):
        agg.quantiles("v", [])


def test_missing_values_are_refused() -> None:
    with pytest.raises(SchemaError, match="row 0: column 'v' has no value"):
        rows(array([None], "O")).lifted(agg.quantile("v"), 1)
