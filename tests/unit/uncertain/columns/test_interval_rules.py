"""Intervals: ends, levels and sorts through arithmetic, comparisons and conversions; and what makes none."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from rxml.errors import DistributionError
from rxml.uncertain import (
    Alternatives,
    Bernoulli,
    Beta,
    Categorical,
    Draws,
    Interval,
    Mixture,
    Normal,
    Quantiles,
    Rows,
    Worlds,
    add,
)
from tests.unit.uncertain.columns.kinds import any_function

UNKNOWN_WORD: Any = "both"
Z90 = 1.6448536269514722
ENDS = st.sampled_from([-3.0, -1.0, 0.0, 0.5, 2.0, np.inf, -np.inf])
FUNCTIONS = {
    "sum": (any_function(lambda p: p[0] + p[1]), np.add),
    "difference": (any_function(lambda p: p[0] - p[1]), np.subtract),
    "product": (any_function(lambda p: p[0] * p[1]), np.multiply),
    "greater": (any_function(lambda p: np.maximum(p[0], p[1])), np.maximum),
    "less": (any_function(lambda p: np.minimum(p[0], p[1])), np.minimum),
}


def told(x: Interval) -> tuple[Any, ...]:
    return x.lo.tolist(), x.hi.tolist(), x.level.tolist(), x.sort


@given(
    ends=st.lists(st.floats(-9, 9, width=16), min_size=4, max_size=4),
    at=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=20)
def test_what_is_within_bounds_stays_within(
    name: str, ends: list[float], at: tuple[float, float]
) -> None:
    of_intervals, of_numbers = FUNCTIONS[name]
    x, y = (Interval(min(pair), max(pair)) for pair in (ends[:2], ends[2:]))
    result = of_intervals((x, y))
    inside = [each.lo + share * each.width for each, share in zip((x, y), at, strict=True)]
    value = of_numbers(*inside)
    slack = 1e-12
    assert result.sort == "bound"
    assert result.lo - slack <= value <= result.hi + slack
    corners = [of_numbers(a, b) for a in (x.lo, x.hi) for b in (y.lo, y.hi)]
    assert (min(corners), max(corners)) == (result.lo, result.hi)


@given(x=st.tuples(ENDS, ENDS).map(sorted), y=st.tuples(ENDS, ENDS).map(sorted))
@settings(max_examples=40)
def test_infinite_ends_are_silent(x: list[float], y: list[float]) -> None:
    if x[0] == x[1] or y[0] == y[1]:
        return
    one, other = Interval(*x, level=0.9), Interval(*y)
    with np.errstate(all="raise"):
        _ = one * other, one * 0.0, one + 1.0, one > other, one >= np.inf, one == other, one.center
        _ = one.width, abs(one), one.clip(0.0, 1.0), one.contains(np.inf)


def test_levels_follow_what_is_known_of_the_dependence() -> None:
    central = Interval([0.0, 0.0], [2.0, 6.0], level=0.9)
    assert told(central + Interval([10.0, 0.0], [12.0, 8.0], level=0.9)) == (
        [12 - np.hypot(1, 1), 7 - 5.0],
        [12 + np.hypot(1, 1), 7 + 5.0],
        [0.9, 0.9],
        "central",
    )
    mixed = central + Interval([10.0, 0.0], [12.0, 8.0], level=[0.9, 0.8])
    assert mixed.sort == "conformal"
    assert mixed.lo.tolist() == [12 - np.hypot(1, 1), 0.0]
    assert mixed.level.tolist() == pytest.approx([0.9, 0.7])
    scalar = Interval(10.0, 12.0, level=0.9)  # of one level with all rows
    assert (central + scalar).sort == "central"
    bound = Interval([1.0, 1.0], [2.0, 2.0])
    assert told(central + bound) == ([1.0, 1.0], [4.0, 8.0], [0.9, 0.9], "conformal")
    assert told(bound + bound * 1.0) == ([2.0, 2.0], [4.0, 4.0], [1.0, 1.0], "bound")
    assert told(-2 * central + 1) == ([-3.0, -11.0], [1.0, 1.0], [0.9, 0.9], "central")
    assert told(central + central) == ([0.0, 0.0], [4.0, 12.0], [0.9, 0.9], "central")
    with pytest.raises(DistributionError, match=r"miss less than 1 together; got .* in rows 0, 1"):
        _ = Interval([0.0, 0.0], 1.0, level=0.5) * Interval(0.0, 1.0, level=0.4)


def test_of_itself_an_interval_is_not_independent() -> None:
    x = Interval([-1.0, 2.0], [2.0, 3.0], level=0.9)
    assert told(x * x) == ([0.0, 4.0], [4.0, 9.0], [0.9, 0.9], "conformal")
    assert told(x**2) == told(np.square(x)) == told(x * x)
    assert told(x - x) == ([0.0, 0.0], [0.0, 0.0], [0.9, 0.9], "central")
    y = Interval([1.0, 2.0], [2.0, 4.0])
    assert told(y / y) == ([1.0, 1.0], [1.0, 1.0], [1.0, 1.0], "bound")
    assert told(4 / y) == ([2.0, 1.0], [4.0, 2.0], [1.0, 1.0], "bound")
    assert told(y / Interval([-2.0, 1.0], [-1.0, 2.0])) == (
        [-2.0, 1.0],
        [-0.5, 4.0],
        [1.0, 1.0],
        "bound",
    )
    assert [each.tolist() for each in x.compared(">", x).bounds] == [[0.0, 0.0], [0.0, 0.0]]
    with pytest.raises(
        DistributionError, match=r"lies on one side of 0; got \[-1\.0, 2\.0\] in row 0"
    ):
        _ = y / x
    with pytest.raises(DistributionError, match="not known to be increasing"):
        np.sin(x)


@pytest.mark.parametrize(
    ("sort", "beyond"), [("bound", 0.0), ("central", 0.05), ("conformal", 0.1)]
)
def test_comparisons_say_no_more_than_the_sort_does(sort: Any, beyond: float) -> None:
    x: Any = Interval([1.0] * 3, [3.0] * 3, level=1.0 if sort == "bound" else 0.9, sort=sort)
    at: Any = np.array([0.0, 2.0, 3.0])
    low, high = (x > at).bounds
    assert low.tolist() == pytest.approx([1 - beyond, 0.0, 0.0])
    assert high.tolist() == pytest.approx([1.0, 1.0, beyond])
    assert (at < x).equals(x > at)
    for mine, other in zip((~(x <= at)).bounds, (x > at).bounds, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-15)
    assert [each.tolist() for each in (x >= at).bounds][1] == [1.0, 1.0, 1.0]
    outside = 1 - x.level[0]
    assert (x == at).bounds[1].tolist() == pytest.approx([beyond, 1.0, 1.0])
    point = Interval(2.0, 2.0, level=x.level[0], sort=sort)
    assert (point == 2.0).bounds[0] == pytest.approx(1 - outside)
    huge = Interval(1e16, 1e16 + 2)  # ends are compared, not their difference
    assert (huge > 1e16 - 2).p == 1.0


def test_intervals_of_distributions_and_distributions_of_intervals() -> None:
    normal = Normal([1.0, -2.0], [4.0, 0.25])
    for level in (0.5, 0.9, 0.999):
        there = normal.interval(level)
        back = there.to(Normal)
        np.testing.assert_allclose(back.mean(), normal.mean(), atol=1e-12)
        np.testing.assert_allclose(back.var(), normal.var())
    assert normal.interval(0.9).hi.tolist() == pytest.approx([1 + 2 * Z90, -2 + 0.5 * Z90])
    bound = Interval([0.0, 1.0], [6.0, 1.0])
    assert bound.to(Normal).var().tolist() == [3.0, 0.0]
    worlds = bound.to(Worlds, draws=Draws(1, 2000), name="x", ids=[1, 2])
    np.testing.assert_allclose(worlds.mean(), [3.0, 1.0], atol=1e-3)
    np.testing.assert_allclose(worlds.var(), [3.0, 0.0], atol=1e-2)
    assert Interval(0.0, 1.0, level=1.0).sort == "bound"
    assert Interval(0.0, 12.0, level=1.0, sort="central").to(Normal).var() == pytest.approx(12.0)
    assert bound.to(Interval, level=1.0) is bound
    with pytest.raises(DistributionError, match=r"nothing of another level, 0\.5"):
        bound.to(Interval, level=0.5)
    with pytest.raises(DistributionError, match="conformal interval tells no distribution"):
        Interval(0.0, 1.0, level=0.9, sort="conformal").to(Normal)
    with pytest.raises(DistributionError, match="bounded interval is wanted; got inf in row 1"):
        Interval([0.0, 0.0], [1.0, np.inf]).to(Normal)
    with pytest.raises(DistributionError, match="say what the interval is, as by"):
        _ = normal + bound
    for level in (0.0, 1.0, 1.5):
        with pytest.raises(DistributionError, match=r"within \(0, 1\)"):
            normal.interval(level)


@pytest.mark.parametrize("kind", ["normal", "beta", "worlds", "quantiles", "interval", "bound"])
def test_evidence_told_twice_never_narrows_where_the_dependence_is_unknown(kind: str) -> None:
    x: Any = {
        "normal": Normal([1.0], [4.0]),
        "beta": Beta([2.0], [3.0]),
        "worlds": Worlds(np.arange(40.0)[:, None]),
        "quantiles": Quantiles([0.01, 0.5, 0.99], [[0.0, 1.0, 5.0]]),
        "interval": Interval([0.0], [1.0], level=0.96),
        "bound": Interval([0.0], [1.0]),
    }[kind]
    mean = add(x, x[:], dependence="unknown", level=0.9) / 2
    alone = x if isinstance(x, Interval) else x.interval(0.9)
    assert (mean.width >= alone.width - 1e-12).all()
    assert mean.sort == ("bound" if kind == "bound" else "conformal")
    assert mean.level.tolist() == pytest.approx([{"interval": 0.92, "bound": 1.0}.get(kind, 0.9)])
    with pytest.raises(ValueError, match="dependence is independent, comonotone or unknown"):
        add(x, x, dependence=UNKNOWN_WORD)


def test_comonotone_columns_grow_together() -> None:
    x, y = Normal(1.0, 4.0), Normal(2.0, 9.0)
    assert add(x, y, "comonotone").var() == 25.0
    quantiles = [each.to(Quantiles, taus=[0.1, 0.9]) for each in (x, y)]
    total = add(quantiles[0], quantiles[1], "comonotone")
    np.testing.assert_allclose(total.values, add(x, y, "comonotone").ppf(np.array([0.1, 0.9])))
    with pytest.raises(DistributionError, match="quantiles of independent columns"):
        add(quantiles[0], quantiles[1])
    with pytest.raises(DistributionError, match="two normals, or of quantiles at the same taus"):
        add(quantiles[0], y, "comonotone")


BAD: dict[str, tuple[Any, str]] = {
    "variance": (
        lambda: Normal([0, 1, 2], [1.0, -1.0, 2.0]),
        r"variance is >= 0; got -1\.0 in row 1",
    ),
    "nan variance": (lambda: Normal([0.0], [np.nan]), "variance is >= 0; got nan in row 0"),
    "mean": (
        lambda: Normal([np.inf, np.nan] * 4, 1.0),
        r"mean is finite; got inf in rows 0, 1, 2, 3, 4 and 3 more",
    ),
    "text": (lambda: Normal(["a"], 1.0), "mean must be numbers"),
    "numbers as text": (lambda: Normal(["1.5"], 1.0), "mean must be numbers; got <U3"),
    "complex": (lambda: Normal([1j], 1.0), "mean must be numbers; got complex128"),
    "times": (lambda: Normal(np.zeros(2, "M8[s]"), 1.0), "mean must be numbers; got datetime64"),
    "lengths": (lambda: Normal([1, 2, 3], [1, 2]), r"differ in length: mean \(3,\), var \(2,\)"),
    "axes": (lambda: Normal([[1.0]], 1.0), r"want \(n,\)"),
    "crossed": (lambda: Interval([0, 2], [1, 1]), r"lo <= hi; got \[2\.0, 1\.0\] in row 1"),
    "nan end": (lambda: Interval([np.nan], [1]), "lo <= hi; got .* in row 0"),
    "no level": (lambda: Interval(0, 1, sort="central"), "without its level: give level="),
    "level": (
        lambda: Interval([0, 0], 1, level=[0.9, 1.1]),
        r"level is within \(0, 1\]; got 1\.1 in row 1",
    ),
    "bound level": (lambda: Interval(0, 1, level=0.9, sort="bound"), "bounds hold always"),
    "sort": (lambda: Interval(0, 1, sort=UNKNOWN_WORD), "sort of an interval is one of"),
    "beta": (lambda: Beta([1, 0], 1), r"above 0 and finite; got 0\.0 in row 1"),
    "probability": (lambda: Bernoulli([0.1, 1.2]), r"within \[0, 1\]; got 1\.2 in row 1"),
    "bounds": (lambda: Bernoulli.between([0.5], [0.4]), "low <= high; got .* in row 0"),
    "sum": (lambda: Categorical([[0.5, 0.5], [0.5, 0.6]]), r"add up to 1; got 1\.1 in row 1"),
    "negative": (lambda: Categorical([[1.5, -0.5]]), r"within \[0, 1\]; got .* in row 0"),
    "classes": (lambda: Categorical([0.5, 0.5], ["a", "a"]), "2 different classes are wanted"),
    "logits": (
        lambda: Categorical.of_logits([[0.0], [np.nan]]),
        "one is above -inf; got .* in row 1",
    ),
    "counts": (lambda: Categorical.of_counts([[1.0, 0.0]]), "above 0 and finite; got .* in row 0"),
    "taus": (lambda: Quantiles([0.5, 0.4], [1, 2]), "taus are two or more, increase"),
    "values": (
        lambda: Quantiles([0.4, 0.5], [[1.0, 2.0], [1.0, np.inf]]),
        "values are finite; got .* in row 1",
    ),
    "one a tau": (lambda: Quantiles([0.4, 0.5], [[1, 2, 3]]), "one a tau"),
    "nan world": (lambda: Worlds([[1.0, np.nan]]), "no value is NaN; got .* in row 1"),
    "weights": (lambda: Worlds([1.0, 2.0], [0.0]), r"one weight a world: want shape \(2,\)"),
    "no weight": (lambda: Worlds([1.0, 2.0], [-np.inf, -np.inf]), "some world must have a weight"),
    "key": (lambda: Worlds([1.0], world=[0.5]), "told by whole numbers or text; got float64"),
    "too much": (lambda: Alternatives([[1, 2]], [[0.7, 0.4]]), "at most 1; got .* in row 0"),
    "one p a value": (lambda: Alternatives([[1, 2]], [[0.7]]), "have one shape"),
    "components": (
        lambda: Mixture([[0.0]], [[1.0]], [[-1.0]]),
        "variances are >= 0; got .* in row 0",
    ),
    "no component": (
        lambda: Mixture([[-np.inf]], [[1.0]], [[1.0]]),
        "one is above -inf; got .* in row 0",
    ),
    "none": (lambda: Normal.stack([]), "a column of no scalars"),
    "unlike": (lambda: Normal(0.0, 1.0)[0], "has no length"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_makes_no_distribution_is_told_with_its_rows(name: str) -> None:
    make, text = BAD[name]
    with pytest.raises((DistributionError, TypeError), match=text):
        make()


def test_names_are_compared_for_equality_only() -> None:
    names = Alternatives([["a", "b"], ["b", "c"]], [[0.5, 0.25], [1.0, 0.0]])
    assert (names == "b").p.tolist() == [0.25, 1.0]
    assert (names != "b").p.tolist() == [0.5, 0.0]
    for f in (lambda: names > "a", names.mean, lambda: names + 1.0):
        with pytest.raises(DistributionError):
            f()
    assert isinstance(names.given(names.values != "a"), Rows)
