"""Every aggregate by order is what an enumeration of all worlds comes to, up to 1e-12: extremes, ranks, top k."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml.uncertain.possible.extremes import largest, smallest
from rxml.uncertain.possible.ranks import kth, quantile
from rxml.uncertain.possible.rows import UncertainRows
from rxml.uncertain.possible.tops import expected_rank, top_k
from tests.unit.uncertain.possible.enumeration import (
    VALUES,
    Rows,
    World,
    close,
    close_tail,
    expected,
    several,
    single,
    worlds,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.uncertain.possible.orders import OrderStatistic

both_kinds = st.one_of(single(6), several(4))
POINTS = (*sorted(set(VALUES)), -9.0, 0.5, 9.0)


def uncertain(rows: Rows) -> UncertainRows:
    return UncertainRows.of_alternatives(rows.p, rows.v)


def same(
    got: OrderStatistic, among: list[World], f: Callable[[World], float | None], tails: bool = True
) -> None:
    """The joint probabilities at points, and quantiles given that there is a value."""
    known = [(f(w), w.chance) for w in among]
    exists = sum(chance for value, chance in known if value is not None)
    check = close_tail if tails else close
    close_tail(got.exists, exists)
    for x in POINTS:
        check(got.up_to(x), sum(c for v, c in known if v is not None and v <= x))
        check(got.above(x), sum(c for v, c in known if v is not None and v > x))
    if exists == 0:
        assert np.isnan(got.ppf(0.5))
        assert np.isnan(got.cdf(0.5))
        return
    for q in (1e-3, 0.3, 0.51, 0.9):
        x = float(got.ppf(q))
        below = sum(c for v, c in known if v is not None and v < x) / exists
        up_to = sum(c for v, c in known if v is not None and v <= x) / exists
        assert below <= q + 1e-12
        assert up_to >= q - 1e-12
        assert x in {v for v, _ in known}


@settings(max_examples=30)
@given(both_kinds)
def test_largest_and_smallest(rows: Rows) -> None:
    among = worlds(rows)
    same(
        largest(uncertain(rows)), among, lambda w: max(w.values.tolist(), default=None), tails=False
    )
    same(
        smallest(uncertain(rows)),
        among,
        lambda w: min(w.values.tolist(), default=None),
        tails=False,
    )


@given(both_kinds, st.integers(1, 4), st.booleans())
def test_kth(rows: Rows, k: int, from_top: bool) -> None:
    def value(world: World) -> float | None:
        ordered = sorted(world.values.tolist(), reverse=from_top)
        return ordered[k - 1] if len(ordered) >= k else None

    same(kth(uncertain(rows), k, from_top=from_top), worlds(rows), value, tails=False)


@given(both_kinds, st.sampled_from([0.5, 0.25, 0.9, 1.0, 1 / 3]))
def test_quantile(rows: Rows, q: float) -> None:
    def value(world: World) -> float | None:
        ordered = sorted(world.values.tolist())
        return ordered[math.ceil(q * len(ordered) - 1e-9) - 1] if ordered else None

    same(quantile(uncertain(rows), q), worlds(rows), value)


@given(both_kinds, st.integers(1, 4))
def test_top_k(rows: Rows, k: int) -> None:
    among = worlds(rows)
    got = top_k(uncertain(rows), k)
    assert got.error == 0

    def first(world: World) -> set[int]:
        places = range(len(world.rows))
        order = sorted(places, key=lambda i: (-world.values[i], world.rows[i]))
        return {world.rows[i] for i in order[:k]}

    for row in range(rows.n):
        wanted = expected((w.chance, float(row in first(w))) for w in among)
        close_tail(got.p[row], wanted)


@given(both_kinds)
def test_expected_rank(rows: Rows) -> None:
    def rank(world: World, row: int) -> float:
        if row not in world.rows:
            return len(world.rows)
        return float(np.count_nonzero(world.values > world.values[world.rows.index(row)]))

    among = worlds(rows)
    got = expected_rank(uncertain(rows))
    for row in range(rows.n):
        close(got[row], expected((w.chance, rank(w, row)) for w in among))
