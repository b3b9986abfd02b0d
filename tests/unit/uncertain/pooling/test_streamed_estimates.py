"""Estimates pooled as they come: monoids that merge in any order."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from rxml.errors import DistributionError
from rxml.uncertain.pooling import Moments, Natural, inverse_variance, random_effects
from tests.unit.uncertain.pooling.drawn import FEW, close, near, same

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS: list[Any] = [Natural, Moments]
GROUPS = 3


@st.composite
def rows(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.intp]]:
    n = draw(st.integers(0, 20))
    y = draw(hnp.arrays(np.float64, n, elements=st.floats(-1e3, 1e3) | st.just(np.nan)))
    v = draw(hnp.arrays(np.float64, n, elements=st.floats(0.01, 100) | st.just(np.inf)))
    return y, v, draw(hnp.arrays(np.intp, n, elements=st.integers(0, GROUPS - 1)))


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(drawn=rows(), data=st.data())
def test_parts_merge_to_the_whole(kind: Any, drawn: Any, data: st.DataObject) -> None:
    y, v, codes = drawn
    cuts = sorted(data.draw(st.lists(st.integers(0, len(y)), max_size=4)))
    parts = zip([0, *cuts], [*cuts, len(y)], strict=True)
    lifted = [kind.lift(y[a:b], v[a:b], codes[a:b], GROUPS) for a, b in parts]
    whole = kind.lift(y, v, codes, GROUPS)
    for some in (lifted, lifted[::-1]):
        merged = reduce(lambda one, other: one.combine(other), some, kind.identity(GROUPS))
        close(merged, whole, 1e-9, 1e-6)
        np.testing.assert_array_equal(merged.count, whole.count)


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(drawn=rows())
def test_nothing_added_changes_no_bit(kind: Any, drawn: Any) -> None:
    whole = kind.lift(*drawn, GROUPS)
    nothing = kind.identity(GROUPS)
    same(whole.combine(nothing), whole)
    same(nothing.combine(whole), whole)


@FEW
@given(drawn=rows())
def test_it_says_what_the_batch_forms_say(drawn: Any) -> None:
    y, v, codes = drawn
    table = np.full((GROUPS, max(len(y), 1)), np.nan)
    wide = np.ones_like(table)
    for at, code in enumerate(codes):
        table[code, at], wide[code, at] = y[at], v[at]
    table[np.isinf(wide)] = np.nan
    close(
        Natural.lift(y, v, codes, GROUPS).lower(),
        _without(inverse_variance(table, wide)),
        atol=1e-6,
    )
    got, want = Moments.lift(y, v, codes, GROUPS).lower(), random_effects(table, wide)
    for name in ("q", "tau2", "i2", "k"):
        near(getattr(got, name), getattr(want, name), 1e-7, 1e-7, name)
    near(got.mean, inverse_variance(table, wide).mean, 1e-9, 1e-9)
    # the variance of this mean under the tau2 that was found
    w = np.where(np.isnan(table), 0.0, 1 / wide)
    share = w / np.maximum(w.sum(axis=1, keepdims=True), 1e-300)
    errors = np.where(np.isinf(wide), 0.0, wide) + got.tau2[:, None]
    true = (share**2 * errors).sum(axis=1)
    near(got.var, np.where(w.any(axis=1), true, np.inf), 1e-7)


def _without(pooled: Any) -> Any:
    """Without the heterogeneity, which two sums do not know."""
    from dataclasses import replace

    none = np.zeros(len(pooled.mean))
    return replace(pooled, q=none, i2=none)


@pytest.mark.parametrize("kind", KINDS)
def test_facts_win_and_must_agree(kind: Any) -> None:
    codes = np.array([0, 0, 1, 2, 2])
    one = kind.lift([1.0, 7.0, 3.0, 1.0, np.nan], [1.0, 0.0, 2.0, np.inf, 1.0], codes, 4)
    got = one.lower()
    np.testing.assert_array_equal(got.mean, [7.0, 3.0, np.nan, np.nan])
    np.testing.assert_array_equal(got.var, [0.0, 2.0, np.inf, np.inf])
    np.testing.assert_array_equal(got.k, [2, 1, 0, 0])
    assert one.combine(one).lower().mean[0] == 7.0
    with pytest.raises(DistributionError, match=r"contradict.*row 1"):
        kind.lift([1.0, 2.0], [0.0, 0.0], np.zeros(2, np.intp), 1)
    other = kind.lift([8.0], [0.0], np.zeros(1, np.intp), 4)
    with pytest.raises(DistributionError, match=r"contradict.*row 0"):
        one.combine(other)
    with pytest.raises(DistributionError, match=r"variance is 0 or >= 1e-150.*row 0"):
        kind.lift([8.0], [1e-200], np.zeros(1, np.intp), 1)


def test_a_long_group_costs_its_doublings_and_keeps_its_digits() -> None:
    draw = np.random.default_rng(2)
    y = 1e9 + draw.normal(size=100_000)
    got = Moments.lift(y, np.ones(len(y)), np.zeros(len(y), np.intp), 1)
    assert got.m2[0] == pytest.approx(np.square(y - y.mean()).sum(), rel=1e-8)
    assert got.mean[0] == pytest.approx(y.mean(), rel=1e-15)
    assert got.lower().i2[0] < 0.02
