"""What holds for every metric: cut as they like, rows give one state; merged, restored and split by slot, one value."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml import wire
from rxml.errors import DistributionError
from rxml.evaluation.metrics import NAMES, Metrics
from tests.unit.evaluation.metrics.streams import LABELS, MODES, bits, cut, every, labelled, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.evaluation.metrics.bounds import Bounds

SLOTS = 3
# what is told of as many rows depends on how many there are
BY_ROWS = {"spiegelhalter_z", "ece", "reliability", "resolution", "uncertainty"}


@pytest.fixture(autouse=True)
def _nothing_is_off() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


def alike(left: dict[str, Any], right: dict[str, Any]) -> None:
    for name, values in left.items():
        np.testing.assert_allclose(values, right[name], rtol=1e-9, atol=1e-12, err_msg=name)


def test_every_name_is_tried_here() -> None:
    tried = [name for metrics, _ in every({}) for name in metrics.names]
    assert sorted(tried) == sorted(NAMES)


@pytest.mark.parametrize("mode", MODES, ids=str)
@settings(max_examples=6)
@given(st.data())
def test_cut_anyhow_rows_give_the_same_bits(mode: dict[str, Any], data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 30))
    seed = data.draw(st.integers(0, 99))
    slots = np.random.default_rng(seed).integers(0, SLOTS, n)
    ends = [0, *sorted(data.draw(st.lists(st.integers(0, n), max_size=5))), n]
    for (whole, drawn), (parts, _), (single, _) in zip(
        every(mode), every(mode), every(mode), strict=True
    ):
        columns = drawn(n, seed)
        for metrics in (whole, parts, single):
            metrics.grow(SLOTS)
        whole.update(columns, slots)
        for start, end in pairwise(ends):
            rows = slice(start, end)
            parts.update(cut(columns, rows), slots[rows])
        for row in range(n):
            single.update(cut(columns, [row]), slots[[row]])
        assert bits(whole.snapshot()) == bits(parts.snapshot()) == bits(single.snapshot())


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_many_slots_at_once_give_the_bits_of_each(mode: dict[str, Any]) -> None:
    slots = np.tile(np.arange(70), 2)
    for (together, drawn), (apart, _) in zip(every(mode), every(mode), strict=True):
        columns = drawn(140, 5)
        together.grow(70)
        apart.grow(70)
        together.update(columns, slots)
        for slot in range(70):
            rows = np.flatnonzero(slots == slot)
            apart.update(cut(columns, rows), slots[rows])
        assert bits(together.snapshot()) == bits(apart.snapshot())


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_slot_is_as_if_alone(mode: dict[str, Any]) -> None:
    slots = np.random.default_rng(1).integers(0, SLOTS, 90)
    for (keyed, drawn), (alone, _) in zip(every(mode), every(mode), strict=True):
        columns = drawn(90, 1)
        keyed.grow(SLOTS)
        keyed.update(columns, slots)
        alone.update(cut(columns, slots == 1))
        one = np.array([1])
        alike(keyed.values(one), alone.values())
        alike(keyed.intervals(0.9, one), alone.intervals(0.9))
        alike({name: value[1:2] for name, value in keyed.values().items()}, alone.values())


@pytest.mark.parametrize("mode", [{}, {"fading": 0.9}], ids=str)
def test_merged_slots_are_those_of_all_rows(mode: dict[str, Any]) -> None:
    for (left, drawn), (right, _), (whole, _) in zip(
        every(mode), every(mode), every(mode), strict=True
    ):
        columns = drawn(80, 2)
        left.update(cut(columns, slice(50)))
        # what fades is told alike only if both have seen the end of it
        right.grow(2)
        right.update(cut(columns, slice(50, 80)), np.ones(30, np.intp))
        left.merge(right)
        whole.grow(2)
        whole.update(columns, np.repeat([0, 1], [50, 30]))
        alike(left.values(), whole.values())
        alike(left.intervals(), whole.intervals())


def test_halves_merge_to_the_whole() -> None:
    for (left, drawn), (right, _), (whole, _) in zip(every({}), every({}), every({}), strict=True):
        columns = drawn(200, 3)
        left.update(cut(columns, slice(120)))
        right.update(cut(columns, slice(120, 200)))
        whole.update(columns)
        left.merge(right)
        alike(left.values(), whole.values())
        alike(left.intervals(0.8), whole.intervals(0.8))
        for name in whole.names:
            assert left[name].skipped.tolist() == whole[name].skipped.tolist()


def test_fading_halves_of_one_moment_merge_to_the_sum_of_their_weights() -> None:
    for (left, drawn), (right, _) in zip(
        every({"fading": 0.9}), every({"fading": 0.9}), strict=True
    ):
        columns = drawn(40, 4)
        left.update(columns)
        right.update(columns)
        before = left.values()
        left.merge(right)
        for name in set(before) - BY_ROWS:
            assert left[name].value() == pytest.approx(before[name], rel=1e-12), name


def test_where_one_cannot_be_merged_none_is() -> None:
    left = Metrics("mae", last=Metrics("mse", window=3)["mse"])
    right = Metrics("mae", last=Metrics("mse", window=3)["mse"])
    right.update(numbers(5))
    with pytest.raises(ValueError, match="which rows are last is not known"):
        left.merge(right)
    assert np.isnan(left.values()["mae"]).all()


def test_last_rows_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match="which rows are last is not known"):
        Metrics("mae", window=3).merge(Metrics("mae", window=3))


@pytest.mark.parametrize(
    "other",
    [
        Metrics("f1", fading=0.5),
        Metrics("f1", labels=("a", "b")),
        Metrics("macro_f1"),
        Metrics(f1=Metrics("accuracy")["accuracy"]),
    ],
)
def test_metrics_that_are_set_otherwise_are_not_mixed_up(other: Metrics) -> None:
    metrics = Metrics("f1")
    with pytest.raises(ValueError, match=r"alike|the other has"):
        metrics.merge(other)
    with pytest.raises(ValueError, match="the snapshot"):
        metrics.restore(other.snapshot())


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_restored_metric_goes_on_with_the_same_bits(mode: dict[str, Any]) -> None:
    for (first, drawn), (second, _) in zip(every(mode), every(mode), strict=True):
        columns = drawn(60, 6)
        slots = np.arange(60) % SLOTS
        first.grow(SLOTS)
        first.update(cut(columns, slice(30)), slots[:30])
        second.restore(wire.loads(wire.dumps(first.snapshot())))
        for metrics in (first, second):
            metrics.update(cut(columns, slice(30, 60)), slots[30:])
        assert bits(first.snapshot()) == bits(second.snapshot())


def test_a_snapshot_does_not_change_with_what_comes_after() -> None:
    for metrics, drawn in every({"window": 5}):
        metrics.update(drawn(20, 7))
        state = metrics.snapshot()
        before = bits(state)
        metrics.update(drawn(20, 8))
        assert bits(state) == before


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_without_rows_nothing_is_known(mode: dict[str, Any]) -> None:
    for metrics, drawn in every(mode):
        metrics.update(drawn(0))
        assert all(np.isnan(value).all() for value in metrics.values().values())
        for name, (lower, upper) in metrics.intervals().items():
            assert not np.isnan([lower, upper]).any(), name
            assert lower[0] < upper[0], name


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_higher_level_gives_no_narrower_interval(mode: dict[str, Any]) -> None:
    def within(inner: Bounds, outer: Bounds) -> bool:
        return bool((outer[0] <= inner[0]).all() and (inner[1] <= outer[1]).all())

    for metrics, drawn in every(mode):
        metrics.update(drawn(50, 9))
        half, most = metrics.intervals(0.5), metrics.intervals(0.99)
        for name, value in metrics.values().items():
            assert within(half[name], most[name]), name
            low, high = most[name]
            assert low <= value <= high, name


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 1.5])
def test_a_level_is_between_0_and_1(level: float) -> None:
    for metrics, _ in every({}):
        for name in metrics.names:
            with pytest.raises(ValueError, match="level wants"):
                metrics[name].interval(level)


def test_rows_that_one_metric_refuses_are_taken_by_none() -> None:
    metrics = Metrics("accuracy", "log_loss", labels=LABELS)
    columns = labelled(10)
    columns["probability"] = np.r_[columns["probability"][:9], 1.5]
    before = bits(metrics.snapshot())
    with pytest.raises(DistributionError, match=r"prob is within \[0, 1\]; got 1.5 in row"):
        metrics.update(columns)
    assert bits(metrics.snapshot()) == before
