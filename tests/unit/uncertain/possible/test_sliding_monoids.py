"""What slides: the laws of monoids, and a thousand slides without a lost digit, where deconvolution loses all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.uncertain.possible.counts import at_least, count
from rxml.uncertain.possible.extremes import largest, smallest
from rxml.uncertain.possible.monoids import CountMonoid, ExtremeMonoid, Monoid, SumMonoid
from rxml.uncertain.possible.rows import UncertainRows
from rxml.uncertain.possible.sums import sum_moments
from tests.unit.uncertain.possible.enumeration import near

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.possible.monoids import State

GRID = np.array([-2.0, 0.0, 1.0, 3.5])
MONOIDS: list[tuple[Monoid, int]] = [
    (CountMonoid(3), 1),
    (CountMonoid(40), 1),
    (ExtremeMonoid(GRID), 2),
    (ExtremeMonoid(GRID, smallest=True), 3),
    (SumMonoid(), 2),
    (SumMonoid(), 3),
]


def columns(n: int, seed: int = 2) -> list[NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    p = rng.choice([0.0, 1e-300, 0.2, 0.7, 1.0], n)
    return [p, rng.choice([-1.0, 1.0, 2.0], n), rng.choice([0.0, 1.0], n)]


def same(left: State, right: State) -> None:
    for a, b in zip(left, right, strict=True):
        assert a.dtype == b.dtype
        near(a, b, 1e-12, 1e-13)


@pytest.mark.parametrize(("monoid", "width"), MONOIDS)
def test_pieces_come_to_the_whole(monoid: Monoid, width: int) -> None:
    given_rows = columns(60)[:width]
    codes = np.random.default_rng(1).integers(0, 4, 60)
    whole = monoid.lift(given_rows, codes, 5)
    cuts = [slice(0, 13), slice(13, 14), slice(14, 41), slice(41, 60)]
    parts = [monoid.lift([c[cut] for c in given_rows], codes[cut], 5) for cut in cuts]
    a, b, c, d = parts
    left = monoid.combine(monoid.combine(monoid.combine(a, b), c), d)
    right = monoid.combine(a, monoid.combine(b, monoid.combine(c, d)))
    same(left, whole)
    same(right, whole)
    nothing = monoid.identity(5)
    same(monoid.combine(nothing, whole), whole)
    same(monoid.combine(whole, nothing), whole)
    same(monoid.lift([c[:0] for c in given_rows], codes[:0], 5), nothing)
    assert monoid.lower(whole).shape[0] == 5


def test_lowered_states_are_the_aggregates() -> None:
    p, v, var = columns(30)
    one = np.zeros(30, np.intp)
    f = CountMonoid(40)
    pmf = count(p)
    near(
        f.lower(f.lift([p], one, 1))[0, :31],
        pmf.cdf(np.arange(31)) - pmf.cdf(np.arange(31) - 1),
        1e-9,
        1e-15,
    )
    alarm = CountMonoid(4)
    near(alarm.lower(alarm.lift([p], one, 1))[0, -1], at_least(p, 4))
    rows = UncertainRows.of(p, v, var)
    for small in (False, True):
        grid = ExtremeMonoid(GRID, smallest=small)
        got = grid.lower(grid.lift([p, v, var], one, 1))[0]
        statistic = smallest(rows) if small else largest(rows)
        joint = statistic.above(GRID) if small else statistic.up_to(GRID)
        near(got[:-1], joint + 1 - statistic.exists, 1e-12, 1e-15)
        near(got[-1], 1 - statistic.exists, 1e-12, 1e-15)
    sums = SumMonoid()
    moments = sum_moments(rows)
    got = sums.lower(sums.lift([p, v, var], one, 1))[0]
    third = moments.skew * moments.var**1.5
    near(got, [pmf.mean(), pmf.var(), moments.mean, moments.var, third], 1e-12, 1e-12)


class Slide:
    """Two stacks: the oldest rows leave by being forgotten."""

    def __init__(self, monoid: Monoid) -> None:
        self.monoid = monoid
        self.front: list[Any] = []
        self.back: list[Any] = []
        self.behind = monoid.identity(1)

    def push(self, state: State) -> None:
        self.back.append(state)
        self.behind = self.monoid.combine(self.behind, state)

    def pop(self) -> None:
        if not self.front:
            whole = self.monoid.identity(1)
            for state in reversed(self.back):
                whole = self.monoid.combine(state, whole)
                self.front.append(whole)
            self.back, self.behind = [], self.monoid.identity(1)
        self.front.pop()

    def whole(self) -> State:
        return self.monoid.combine(self.front[-1], self.behind) if self.front else self.behind


def test_a_thousand_slides_lose_nothing_where_deconvolution_loses_all() -> None:
    size, slides = 40, 1000
    p = np.random.default_rng(7).uniform(0, 1, size + slides)
    monoid = CountMonoid(size)
    window = Slide(monoid)
    lifted = [monoid.lift([p[i : i + 1]], np.zeros(1, np.intp), 1) for i in range(len(p))]
    for state in lifted[:size]:
        window.push(state)
    divided = count(p[:size]).p
    exact = divided
    for i in range(slides):
        window.pop()
        window.push(lifted[size + i])
        with np.errstate(all="ignore"):
            divided = replaced(divided, p[i], p[size + i])
        if i % 20 == 19 or i == slides - 1:
            exact = count(p[i + 1 : i + 1 + size]).p
            near(window.whole()[0][0], exact, 1e-12)
    assert not float(np.abs(divided - exact).max()) < 1e-3  # what other ways come to


def replaced(f: NDArray[np.float64], old: float, new: float) -> NDArray[np.float64]:
    """A row taken out by dividing from the front, and another put in: what must not be done."""
    rest = np.zeros_like(f)
    for k in range(len(f) - 1):
        before = rest[k - 1] if k else 0.0
        rest[k] = (f[k] - old * before) / (1 - old)
    return rest * (1 - new) + np.append(0.0, rest[:-1]) * new


@given(st.integers(-3, 0))
def test_a_most_must_be_one_or_more(most: int) -> None:
    with pytest.raises(ValueError, match="most"):
        CountMonoid(most)


@pytest.mark.parametrize("grid", [[], [1.0, 1.0], [2.0, 1.0], [0.0, np.nan]])
def test_a_grid_must_rise(grid: list[float]) -> None:
    with pytest.raises(ValueError, match="rising"):
        ExtremeMonoid(np.array(grid))
