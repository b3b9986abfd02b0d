"""A8 and A9 of the reference: intervals of pooled sensors hold, and fixed share follows regimes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rxml.uncertain.pooling import (
    FixedShare,
    Hedge,
    Pooled,
    Weights,
    inverse_variance,
    random_effects,
)

if TYPE_CHECKING:
    from tests.unit.uncertain.pooling.drawn import Floats


def coverage(pooled: Pooled, truth: float) -> float:
    return float(np.mean((pooled.lo <= truth) & (truth <= pooled.hi)))


def test_a8_intervals_hold_for_any_heterogeneity() -> None:
    """8 sensors, nominal 95 %."""
    rng = np.random.default_rng(8)
    rows, k, truth = 40_000, 8, 5.0
    plain: dict[float, float] = {}
    for tau in (0.0, 1.0, 2.0):
        v = rng.uniform(0.5, 3.0, (rows, k))
        y = truth + rng.normal(size=(rows, k)) * np.sqrt(v + tau * tau)
        assert 0.93 <= coverage(random_effects(y, v), truth) <= 0.96
        plain[tau] = coverage(inverse_variance(y, v), truth)
    assert plain[0.0] == pytest.approx(0.95, abs=0.01)
    assert plain[2.0] < 0.75


def average(model: Weights, losses: Floats) -> float:
    """The mean loss of the pool."""
    model.grow(1)
    total = 0.0
    for at in range(len(losses)):
        row = losses[at : at + 1]
        total += float((model.weights([0]) * row).sum())
        model.update([0], row)
    return total / len(losses)


def test_a9_fixed_share_follows_three_regimes() -> None:
    """3 models, each the best one in a third of the rows: losses of 0.15 and 0.7 on average."""
    rng = np.random.default_rng(9)
    length, k = 1000, 3
    chance = np.repeat(np.where(np.eye(k) > 0, 0.15, 0.7), length, axis=0)
    losses = (rng.random(chance.shape) < chance).astype(np.float64)
    oracle = float(losses[chance == 0.15].mean())
    assert average(FixedShare(k), losses) <= oracle + 0.02
    assert average(Hedge(k, horizon=len(losses)), losses) >= oracle + 0.3
