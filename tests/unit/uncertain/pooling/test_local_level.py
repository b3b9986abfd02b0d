"""The local level filter of many slots, its smoother, and its snapshots."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from rxml.errors import DistributionError
from rxml.uncertain.pooling import LocalLevel, smooth, steady_var
from tests.unit.uncertain.pooling.drawn import FEW, Floats, columns, near, same

if TYPE_CHECKING:
    from numpy.typing import NDArray

stats: Any = import_module("scipy.stats")

KEYS = 3


@st.composite
def events(draw: st.DrawFn) -> tuple[NDArray[np.intp], Floats, Floats, Floats]:
    """Slots, times that do not go back, values of which some are missing, and variances."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n = draw(st.integers(0, 15))
    y = np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n) * 5)
    r = rng.choice([0.5, 2.0, np.inf, 1e-300], n, p=[0.4, 0.4, 0.1, 0.1])
    times = np.cumsum(rng.choice([0.0, 0.5, 3.0], n, p=[0.1, 0.5, 0.4])) + 10.0
    # a fact, but of an instant of its own: two of one would contradict each other
    return rng.integers(0, KEYS, n), times, y, r


def joint(
    times: Floats, y: Floats, r: Floats, q: float, prior: tuple[float, float] = (0.0, 1e7)
) -> tuple[Floats, Floats]:
    """Levels at all times, given all that was seen, by the joint normal of levels and values."""
    gained = q * (times - times[0])
    levels = prior[1] + np.minimum(gained[:, None], gained[None, :])
    seen = ~np.isnan(y) & np.isfinite(r)
    total = np.asarray(levels[np.ix_(seen, seen)], np.float64) + np.diag(r[seen])
    gain = np.linalg.solve(total, np.asarray(levels[seen], np.float64)).T
    after = np.diagonal(levels - gain @ levels[seen])
    return prior[0] + gain @ (y[seen] - prior[0]), after


def test_filter_and_smoother_are_the_joint_normal() -> None:
    rng = np.random.default_rng(4)
    n, q, mean, var = 12, 0.7, 1.5, 4.0
    times = np.cumsum(rng.uniform(0, 2, n))
    y, r = rng.normal(size=n), rng.uniform(0.1, 2, n)
    y[[3, 7]], r[5] = np.nan, np.inf
    model = LocalLevel(q, lag=n - 1, mean=mean, var=var, keys=1)
    got = model.update(np.zeros(n, np.intp), times, y, r)
    for at in range(n):
        m, p = joint(times[: at + 1], y[: at + 1], r[: at + 1], q, (mean, var))
        assert got.mean[at] == pytest.approx(m[-1], rel=1e-9)
        assert got.var[at] == pytest.approx(p[-1], rel=1e-9)
    means, variances = model.smoothed([0])
    m, p = joint(times, y, r, q, (mean, var))
    near(means[0], m, 1e-9)
    near(variances[0], p, 1e-9)
    assert (got.late[-1], got.late_var[-1]) == (means[0, 0], variances[0, 0])
    assert np.isnan(got.late[:-1]).all()
    steps = q * np.diff(times, prepend=times[:1])
    some = smooth(got.mean[None], got.var[None], steps[None])
    near(some[0], means)
    ahead, spread = model.predict([0], times[-1:] + 3.0)
    assert ahead[0] == got.mean[-1]
    assert spread[0] == pytest.approx(got.var[-1] + q * 3.0, rel=1e-12)


def test_late_levels_are_those_of_a_lag() -> None:
    rng = np.random.default_rng(8)
    times, y = np.arange(9.0), rng.normal(size=9)
    y[4] = np.nan
    got = LocalLevel(0.5, lag=3, keys=1).update(np.zeros(9, np.intp), times, y, 1.0)
    assert np.isnan(got.late[:3]).all()
    for at in range(3, 9):
        m, p = joint(times[: at + 1], y[: at + 1], np.ones(at + 1), 0.5)
        assert got.late[at] == pytest.approx(m[at - 3], rel=1e-3)
        assert got.late_var[at] == pytest.approx(p[at - 3], rel=1e-3)


@FEW
@given(drawn=events(), lag=st.sampled_from([0, 2]), data=st.data())
def test_rows_batches_and_restored_states_are_the_same_to_the_last_bit(
    drawn: Any, lag: int, data: st.DataObject
) -> None:
    slots, times, y, r = drawn
    whole = LocalLevel(0.3, lag=lag, keys=KEYS)
    want = columns(whole.update(slots, times, y, r))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(y)), max_size=4)))
    parts: list[dict[str, Floats]] = []
    model = LocalLevel(0.3, lag=lag, keys=1)
    model.grow(KEYS)
    for a, b in zip([0, *cuts], [*cuts, len(y)], strict=True):
        parts.append(columns(model.update(slots[a:b], times[a:b], y[a:b], r[a:b])))
        again = LocalLevel(0.3, lag=lag)
        again.restore(model.snapshot())
        model = again
    for name, array in want.items():
        np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), array)
    for name, array in whole.snapshot().items():
        np.testing.assert_array_equal(model.snapshot()[name], array)


def test_it_settles_at_the_steady_variance() -> None:
    q, r = 0.4, 2.5
    got = LocalLevel(q, var=100.0, keys=1).update(np.zeros(80, np.intp), np.arange(80.0), 0.0, r)
    assert got.prior_var[-1] == pytest.approx(steady_var(q, r), rel=1e-12)
    assert steady_var(0.0, 1.0) == 0.0


def test_normalised_innovations_are_chi2_when_the_model_is_right() -> None:
    rng = np.random.default_rng(11)
    keys, n, q = 2000, 20, 0.5
    gaps = rng.uniform(0.1, 3, (n, keys))
    level = np.cumsum(rng.normal(size=(n, keys)) * np.sqrt(q * gaps), axis=0)
    r = rng.uniform(0.2, 4, (n, keys))
    y = level + rng.normal(size=(n, keys)) * np.sqrt(r)
    slots = np.tile(np.arange(keys), n)
    model = LocalLevel(q, keys=keys)
    got = model.update(slots, np.cumsum(gaps, axis=0).ravel(), y.ravel(), r.ravel())
    assert np.isnan(got.nis[:keys]).all()
    assert stats.kstest(got.nis[keys:], "chi2", args=(1,)).pvalue > 1e-3
    apart = (level.ravel() - got.mean) ** 2 / got.var
    assert apart.mean() == pytest.approx(1.0, abs=0.02)


def test_facts_and_silence() -> None:
    inf, nan = np.inf, np.nan
    model = LocalLevel(1.0, mean=7.0, keys=2)
    silent = model.update([0, 0], [0.0, 5.0], [nan, 3.0], [1.0, inf])
    np.testing.assert_array_equal(silent.mean, [7.0, 7.0])
    np.testing.assert_array_equal(silent.var, [inf, inf])
    np.testing.assert_array_equal(silent.nis, [nan, nan])
    fact = model.update([0, 0], [6.0, 8.0], [0.1, nan], [0.0, nan])
    np.testing.assert_array_equal(fact.mean, [0.1, 0.1])
    np.testing.assert_array_equal(fact.var, [0.0, 2.0])
    model.update([1], [0.0], [1.0], [0.0])
    before = model.snapshot()
    with pytest.raises(DistributionError, match=r"contradict.*row 1"):
        model.update([0, 1], [9.0, 0.0], [4.0, 2.0], [1.0, 0.0])
    for name, array in model.snapshot().items():
        np.testing.assert_array_equal(array, before[name])
    agreed = model.update([1], [0.0], [1.0], [0.0])
    assert (agreed.mean[0], agreed.var[0]) == (1.0, 0.0)


def test_sizes_at_the_edge_make_no_floating_point_error() -> None:
    far = [1e150, -1e150, np.nan, 1.0]
    for q in (0.0, 1e-300, 1e308):
        for var in (1e-300, 1e308, np.inf):
            model = LocalLevel(q, lag=2, var=var, keys=1)
            got = model.update([0] * 4, [0.0, 1.0, 1.0, 1e10], far, [1e308, 1e-309, 1.0, 1e308])
            assert np.all(got.var >= 0)
            near(got.mean[1], -1e150, 1e-6)
            assert np.isfinite(got.mean).all()


def test_what_is_refused_is_named_and_changes_nothing() -> None:
    model = LocalLevel(1.0, lag=1, keys=2)
    model.update([0], [5.0], [1.0], [1.0])
    before = model.snapshot()
    with pytest.raises(DistributionError, match=r"must not go back.*row 2"):
        model.update([0, 1, 0], [6.0, 1.0, 5.5], [1.0, 1.0, 1.0], 1.0)
    with pytest.raises(DistributionError, match=r"time is finite.*row 0"):
        model.update([0], [np.nan], [1.0], 1.0)
    with pytest.raises(DistributionError, match=r"variance is >= 0.*row 0"):
        model.update([0], [6.0], [1.0], -1.0)
    with pytest.raises(DistributionError, match=r"within .*row 0"):
        model.update([0], [6.0], [-np.inf], 1.0)
    with pytest.raises(DistributionError, match="must not go back"):
        model.predict([0], [4.0])
    with pytest.raises(IndexError, match=r"from 0 to 1: call grow; got 2"):
        model.update([2], [6.0], [1.0], 1.0)
    with pytest.raises(IndexError, match="call grow"):
        model.update([-1], [6.0], [1.0], 1.0)
    with pytest.raises(ValueError, match="slots must be integers"):
        model.update([0.5], [6.0], [1.0], 1.0)
    with pytest.raises(
        ValueError, match=r"snapshot needs keys, mean, var, time, means, vars, steps; got"
    ):
        model.restore(LocalLevel(1.0, keys=1).snapshot())
    with pytest.raises(ValueError, match=r"snapshot needs means of shape \(1, 2\), got \(1, 4\)"):
        model.restore(LocalLevel(1.0, lag=3, keys=1).snapshot())
    for name, array in model.snapshot().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    "bad", [{"q": -1.0}, {"q": np.inf}, {"q": 1.0, "lag": -1}, {"q": 1.0, "var": -1.0}]
)
def test_config_is_checked(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="LocalLevel"):
        LocalLevel(**bad)
    with pytest.raises(ValueError, match="keys must be >= 0"):
        LocalLevel(1.0, keys=-1)


def test_many_keys_grow_and_none_is_touched() -> None:
    model = LocalLevel(1.0)
    assert model.update([], [], [], []).mean.shape == (0,)
    for keys in range(1, 40):
        model.grow(keys)
        model.update([keys - 1], [0.0], [float(keys)], 1.0)
    model.grow(3)
    got = model.smoothed(np.arange(39))
    np.testing.assert_array_equal(got[0][:, 0], np.arange(1.0, 40.0))
    np.testing.assert_array_equal(got[1][:, 0], 1.0)
    same(model.update([], [], [], []), model.update([], [], [], []))
    many = np.arange(100_000)
    model.grow(len(many))
    assert model.update(many, 1.0, 2.0, 1.0).mean[-1] == 2.0
    fresh = LocalLevel(1.0, keys=2).smoothed([0, 1])
    assert np.isnan(fresh[0]).all()


def test_events_that_come_late_widen_their_noise_by_what_the_level_has_drifted_since() -> None:
    slots, times = np.zeros(3, np.intp), np.array([0.0, 5.0, 2.0])
    y, r = np.array([1.0, 2.0, 9.0]), np.array([1.0, 0.5, 0.25])
    late = LocalLevel(0.5, keys=1, late="widen").update(slots, times, y, r)
    then = LocalLevel(0.5, keys=1).update(slots, [0.0, 5.0, 5.0], y, [1.0, 0.5, 0.25 + 0.5 * 3])
    same(late, then)
    assert times.tolist() == [0.0, 5.0, 2.0]


def test_late_events_are_the_same_one_by_one_and_missing_ones_tell_nothing() -> None:
    times, y = np.array([3.0, 1.0, 2.0, 4.0, 0.0]), np.array([1.0, np.nan, 5.0, 2.0, 3.0])
    whole = LocalLevel(2.0, keys=1, lag=2, late="widen")
    got = columns(whole.update(np.zeros(5, np.intp), times, y, 1.0))
    alone = LocalLevel(2.0, keys=1, lag=2, late="widen")
    rows = [columns(alone.update([0], times[[at]], y[[at]], 1.0)) for at in range(5)]
    for name, array in got.items():
        np.testing.assert_array_equal(array, [row[name][0] for row in rows], err_msg=name)
    assert got["mean"][1] == got["mean"][0]
    assert got["var"][1] == got["var"][0]


@FEW
@given(events(), st.sampled_from([0.0, 0.7, 1e308]))
def test_rows_in_plain_numbers_are_those_of_arrays_to_the_last_bit(
    given_events: tuple[NDArray[np.intp], Floats, Floats, Floats], q: float
) -> None:
    """A filter with a lag takes arrays, one without takes slots that repeat row by row."""
    slots, times, y, r = given_events
    back = times[::-1].copy()  # every event of a slot but the first comes late
    for when in (times, back):
        plain, arrays = (LocalLevel(q, keys=KEYS, lag=lag, late="widen") for lag in (0, 1))
        got = columns(plain.update(slots, when, y, r))
        want = columns(arrays.update(slots, when, y, r))
        for name in ("mean", "var", "prior", "prior_var", "nis"):
            np.testing.assert_array_equal(got[name], want[name], err_msg=name)
        for name in ("mean", "var", "time"):
            np.testing.assert_array_equal(plain.snapshot()[name], arrays.snapshot()[name])


def test_slots_that_are_forgotten_are_as_new() -> None:
    model = LocalLevel(1.0, lag=1, keys=2)
    model.update([0, 1], [0.0, 0.0], [1.0, 2.0], 1.0)
    model.forget([1])
    after = model.update([0, 1], [1.0, -7.0], [1.0, 5.0], 1.0)
    assert after.mean.tolist() == [1.0, 5.0]
    assert np.isnan(after.late[1])
