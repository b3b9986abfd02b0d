"""Weights that are learned from losses: what holds for every rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from rxml.errors import DistributionError
from rxml.uncertain.pooling import (
    AdaHedge,
    ExponentiatedGradient,
    FixedShare,
    Hedge,
    ModelAveraging,
    Weights,
)
from tests.unit.uncertain.pooling.drawn import FEW, Floats, near

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

K, KEYS = 3, 2


def fixed_share(models: int = K, keys: int = 0) -> Weights:
    return FixedShare(models, share=0.05, keys=keys)


def doubling(models: int = K, keys: int = 0) -> Weights:
    return Hedge(models, keys=keys)


def hedge(models: int = K, keys: int = 0) -> Weights:
    return Hedge(models, horizon=30, keys=keys)


def ada(models: int = K, keys: int = 0) -> Weights:
    return AdaHedge(models, keys=keys)


def averaging(models: int = K, keys: int = 0) -> Weights:
    return ModelAveraging(models, forgetting=0.9, keys=keys)


def gradient(models: int = K, keys: int = 0) -> Weights:
    return ExponentiatedGradient(models, rate=0.5, keys=keys)


RULES: list[Callable[..., Weights]] = [fixed_share, doubling, hedge, ada, averaging, gradient]
EVERY = pytest.mark.parametrize("rule", RULES)


@st.composite
def rows(draw: st.DrawFn) -> tuple[NDArray[np.intp], Floats, NDArray[np.bool_]]:
    """Slots, losses from 0 to 1 of which some are missing, and who was awake."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n = draw(st.integers(0, 12))
    losses = (
        rng.choice([0.0, 1.0, 0.3, np.nan], (n, K)) if draw(st.booleans()) else rng.random((n, K))
    )
    return rng.integers(0, KEYS, n), losses, rng.random((n, K)) < 0.7


@EVERY
@FEW
@given(drawn=rows(), data=st.data())
def test_rows_batches_and_restored_states_are_the_same_to_the_last_bit(
    rule: Callable[..., Weights], drawn: Any, data: st.DataObject
) -> None:
    slots, losses, awake = drawn
    whole, model = rule(keys=KEYS), rule(keys=1)
    whole.update(slots, losses, awake)
    model.grow(KEYS)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(slots)), max_size=4)))
    for a, b in zip([0, *cuts], [*cuts, len(slots)], strict=True):
        model.update(slots[a:b], losses[a:b], awake[a:b])
        again = rule()
        again.restore(model.snapshot())
        model = again
    want = whole.snapshot()
    for name, array in model.snapshot().items():
        np.testing.assert_array_equal(array, want[name], err_msg=name)
    every = np.arange(KEYS)
    single = [model.weights([slot]) for slot in range(KEYS)]
    np.testing.assert_array_equal(np.concatenate(single), whole.weights(every))


@EVERY
@FEW
@given(drawn=rows())
def test_weights_are_on_the_simplex_of_who_is_awake(
    rule: Callable[..., Weights], drawn: Any
) -> None:
    slots, losses, awake = drawn
    model = rule(keys=KEYS)
    for at in range(len(slots)):
        w = model.weights(slots[at : at + 1], awake[at : at + 1])
        assert np.all(w >= 0)
        assert np.all(w[~awake[at : at + 1]] == 0)
        assert w.sum() == (pytest.approx(1.0) if awake[at].any() else 0.0)
        model.update(slots[at : at + 1], losses[at : at + 1], awake[at : at + 1])


@EVERY
@FEW
@given(drawn=rows(), turn=st.permutations(range(K)))
def test_models_are_told_apart_by_their_losses_alone(
    rule: Callable[..., Weights], drawn: Any, turn: list[int]
) -> None:
    slots, awake = drawn[0], drawn[2]
    one, other = rule(keys=KEYS), rule(keys=KEYS)
    # in eighths, of which sums are exact: AdaHedge turns on whether two sums are the same
    eighths = np.asarray(np.round(drawn[1] * 8), np.float64) / 8
    one.update(slots, eighths, awake)
    other.update(slots, eighths[:, turn], awake[:, turn])
    every = np.arange(KEYS)
    near(one.weights(every)[:, turn], other.weights(every), 1e-6, 1e-9)


@EVERY
def test_weights_start_equal_and_move_to_the_better_model(rule: Callable[..., Weights]) -> None:
    model = rule(keys=2)
    np.testing.assert_allclose(model.weights([0, 1]), 1 / K)
    model.update([1] * 20, np.tile([0.1, 0.5, 0.9], (20, 1)))
    first, second = model.weights([0, 1])
    near(first, 1 / K)
    assert second[0] > second[1] > second[2]


@pytest.mark.parametrize("rule", [gradient, hedge, ada])
def test_sleeping_is_neither_punished_nor_rewarded(rule: Callable[..., Weights]) -> None:
    model = rule(keys=1)
    model.update([0], [[0.2, 0.6, 0.9]])
    before = model.weights([0])
    # alone it is the pool, and the others are taken to have lost as much
    model.update([0], [[0.7, np.nan, np.nan]])
    near(model.weights([0]), before, 1e-9)


@EVERY
def test_rows_in_which_no_one_was_awake_change_nothing(rule: Callable[..., Weights]) -> None:
    model = rule(keys=1)
    model.update([0], [[0.2, 0.6, 0.9]])
    state = model.snapshot()
    model.update([0, 0], [[np.nan] * K, [0.5] * K], [[True] * K, [False] * K])
    for name, array in model.snapshot().items():
        np.testing.assert_array_equal(array, state[name])
    assert not model.weights([0], [[False] * K]).any()


@pytest.mark.parametrize("rule", [gradient, hedge])
def test_the_share_of_those_awake_together_stays(rule: Callable[..., Weights]) -> None:
    model = rule(keys=1)
    model.update([0], [[0.2, 0.6, 0.9]])
    before = model.weights([0])[0]
    model.update([0], [[0.9, 0.1, 0.3]], [[True, True, False]])
    assert model.weights([0])[0, 2] == pytest.approx(before[2])


@EVERY
def test_a_model_that_slept_can_win_and_one_that_was_impossible_come_back(
    rule: Callable[..., Weights],
) -> None:
    model = rule(keys=1)
    for _ in range(25):
        model.update([0], [[np.nan, 1.0, 1.0]])
        model.update([0], [[0.0, 0.5, 0.5]])
    assert model.weights([0])[0].argmax() == 0


def test_infinite_losses_leave_weights_that_are_numbers() -> None:
    for rule, least in ((fixed_share, 0.05 / K), (averaging, 0.0)):
        model = rule(keys=1)
        model.update([0], [[np.inf, 1.0, np.inf]])
        near(model.weights([0])[0], [least, 1 - 2 * least, least], 1e-9)
        model.update([0] * 3, [[np.inf] * 3] * 3)
        assert model.weights([0]).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("rule", [fixed_share, ada, averaging, gradient])
def test_what_all_models_lost_alike_does_not_matter(rule: Callable[..., Weights]) -> None:
    plain, offset = rule(keys=1), rule(keys=1)
    losses = np.array([[0.25, 1.0, 0.5], [np.nan, 0.75, 0.25], [0.0, 0.0, 0.0], [0.5, 0.0, 1.0]])
    plain.update([0] * 4, losses)
    offset.update([0] * 4, losses + np.array([[1e15], [-1e12], [1e150], [0.0]]))
    assert plain.weights([0]).tolist() == offset.weights([0]).tolist()


def test_late_losses_are_taken_with_the_weights_that_were_in_use() -> None:
    """What the pool lost, which is what a sleeping model is taken to have lost, is that of the pool that answered."""
    used = np.array([[0.2, 0.8, 0.0]])
    for rate in (0.5, 2.0):
        model = ExponentiatedGradient(K, rate=rate, keys=1)
        model.update([0], [[0.1, 0.9, 0.4]])
        before = model.weights([0])[0]
        model.update([0], [[0.3, 0.7, np.nan]], used=used)
        lost = -np.log((used[0, :2] * np.exp(-rate * np.array([0.3, 0.7]))).sum())
        want = before * np.exp([-rate * 0.3, -rate * 0.7, -lost])
        near(model.weights([0])[0], want / want.sum())
    plain, told = hedge(keys=1), hedge(keys=1)
    losses, awake = np.array([[0.3, 0.7, 0.9]]), np.array([[True, True, False]])
    told.update([0], losses, awake, used=told.weights([0], awake))
    plain.update([0], losses, awake)
    near(told.weights([0]), plain.weights([0]), 1e-12)
    # weights of others tell nothing of those who were awake: then those of now count
    told.update([0], losses, awake, used=[[0.0, 0.0, 1.0]])
    plain.update([0], losses, awake)
    near(told.weights([0]), plain.weights([0]), 1e-12)
    late, now = ada(keys=1), ada(keys=1)
    late.update([0], losses, used=[[0.0, 0.0, 1.0]])
    now.update([0], losses)
    assert late.snapshot()["gap"][0] > now.snapshot()["gap"][0]


def test_losses_of_any_order_add_up_alike_where_nothing_is_shared() -> None:
    rng = np.random.default_rng(3)
    losses = rng.random((30, K))
    for rule in (hedge, gradient):
        soon, late = rule(keys=1), rule(keys=1)
        soon.update(np.zeros(30, np.intp), losses)
        late.update(np.zeros(30, np.intp), losses[::-1])
        near(soon.weights([0]), late.weights([0]), 1e-9)


@EVERY
def test_what_is_refused_is_named_and_changes_nothing(rule: Callable[..., Weights]) -> None:
    model = rule(keys=1)
    before = model.snapshot()
    with pytest.raises(DistributionError, match=r"row 1"):
        model.update([0, 0], [[0.1] * K, [0.1, -np.inf, 0.1]])
    with pytest.raises(DistributionError, match=r"losses has shape \(1, 2\): want \(1, 3\)"):
        model.update([0], [[0.1, 0.2]])
    with pytest.raises(DistributionError, match=r"awake has shape"):
        model.weights([0], np.ones((2, K), np.bool_))
    with pytest.raises(IndexError, match="call grow"):
        model.update([1], [[0.1] * K])
    with pytest.raises(ValueError, match=r"of shape \(1, 3\), got \(1, 4\)"):
        model.restore(rule(4, keys=1).snapshot())
    with pytest.raises(ValueError, match="models must be >= 1"):
        rule(0)
    for name, array in model.snapshot().items():
        np.testing.assert_array_equal(array, before[name])
    alone = rule(1, keys=1)
    alone.update([0, 0], [[0.5], [0.9]])
    assert alone.weights([0])[0, 0] == 1.0


def test_losses_out_of_the_range_of_a_rule_are_named() -> None:
    with pytest.raises(DistributionError, match=r"within \[0, 1\].*row 0"):
        Hedge(2, keys=1).update([0], [[0.5, 1.5]])
    Hedge(2, scale=2.0, keys=1).update([0], [[0.5, 1.5]])
    with pytest.raises(DistributionError, match=r"loss is finite.*row 0"):
        AdaHedge(2, keys=1).update([0], [[0.5, np.inf]])
    with pytest.raises(DistributionError, match=r"gradient is finite.*row 0"):
        ExponentiatedGradient(2, keys=1).update([0], [[0.5, np.inf]])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FixedShare(2, rate=0.0), r"FixedShare\(rate\)"),
        (lambda: FixedShare(2, share=1.0), r"FixedShare\(share\)"),
        (lambda: Hedge(2, horizon=0), r"Hedge\(horizon\)"),
        (lambda: Hedge(2, scale=0.0), r"Hedge\(scale\)"),
        (lambda: ModelAveraging(2, forgetting=0.0), r"ModelAveraging\(forgetting\)"),
        (lambda: ExponentiatedGradient(2, rate=-1.0), r"ExponentiatedGradient\(rate\)"),
    ],
)
def test_config_is_checked(make: Callable[[], Weights], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_many_slots_learn_at_once() -> None:
    model = FixedShare(4, keys=100_000)
    every = np.arange(100_000)
    model.update(every, np.tile([0.1, 0.2, 0.3, 0.4], (len(every), 1)))
    near(model.weights(every).sum(axis=1), 1.0, 1e-12)


@EVERY
def test_slots_that_are_forgotten_are_as_new(rule: Callable[..., Weights]) -> None:
    model, other = rule(keys=2), rule(keys=2)
    losses = [[0.0, 0.5, 1.0]]
    model.update([0, 1], losses * 2)
    other.update([0], losses)
    model.forget([1])
    np.testing.assert_equal(model.snapshot(), other.snapshot())
    with pytest.raises(IndexError):
        model.forget([2])
