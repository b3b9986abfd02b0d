"""What rules promise on any sequence of losses: no probability is involved, so hypothesis may be the adversary."""

from __future__ import annotations

from math import log, sqrt
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from rxml.uncertain.pooling import AdaHedge, FixedShare, Hedge, ModelAveraging, Weights
from tests.unit.uncertain.pooling.drawn import dot

if TYPE_CHECKING:
    from tests.unit.uncertain.pooling.drawn import Floats

SOME = settings(max_examples=25)
LOSSES = st.sampled_from([0.0, 1.0, 0.5]) | st.floats(0, 1)


@st.composite
def adversary(draw: st.DrawFn) -> Floats:
    """Losses (T, K) from 0 to 1: drawn one by one, in runs, or one model bad at a time."""
    k, parts = draw(st.integers(2, 4)), draw(st.integers(1, 4))
    rows = [
        np.repeat(
            draw(hnp.arrays(np.float64, (1, k), elements=LOSSES)), draw(st.integers(1, 12)), 0
        )
        for _ in range(parts)
    ]
    drawn = draw(hnp.arrays(np.float64, (draw(st.integers(0, 5)), k), elements=LOSSES))
    return np.concatenate([*rows, drawn])


def against(model: Weights, losses: Floats, worst: bool = False) -> float:
    """The loss of a pool above that of its best model; `worst` lets the heaviest model lose 1 and the others 0."""
    model.grow(1)
    pool, models = 0.0, np.zeros(losses.shape[1])
    for row in losses:
        w = model.weights([0])[0]
        lost = np.eye(len(w))[w.argmax()] if worst else row
        pool += dot(w, lost)
        models += lost
        model.update([0], lost[None])
    return pool - float(models.min())


@SOME
@given(losses=adversary(), worst=st.booleans())
def test_hedge_is_near_the_best_model(losses: Floats, *, worst: bool) -> None:
    t, k = losses.shape
    bound = sqrt(t * log(k) / 2)
    assert against(Hedge(k, horizon=t), losses, worst) <= bound + 1e-9
    assert against(Hedge(k), losses, worst) <= bound * sqrt(2) / (sqrt(2) - 1) + 1e-9
    assert against(Hedge(k, horizon=t, scale=7.0), 7 * losses) <= 7 * bound + 1e-9


@SOME
@given(losses=adversary(), worst=st.booleans(), scale=st.sampled_from([1.0, 1e-3, 1e6]))
def test_adahedge_is_near_the_best_model_whatever_the_range(
    losses: Floats, *, worst: bool, scale: float
) -> None:
    t, k = losses.shape
    bound = sqrt(t * log(k)) + 16 / 3 * log(k) + 2
    assert against(AdaHedge(k), losses, worst) <= bound + 1e-9
    assert against(AdaHedge(k), np.where(losses > 1e-9, losses, 0.0) * scale - scale) <= scale * (
        bound + 1e-9
    )


def mixed(model: Weights, logp: Floats) -> float:
    """The log loss of the linear pool."""
    model.grow(1)
    total = 0.0
    for row in logp:
        total -= log(dot(model.weights([0])[0], np.exp(row)))
        model.update([0], -row[None])
    return total


@SOME
@given(losses=adversary(), scale=st.sampled_from([1.0, 20.0]))
def test_the_log_loss_of_averaged_models_is_at_most_ln_k_above_the_best(
    losses: Floats, scale: float
) -> None:
    logp = -scale * losses
    k = losses.shape[1]
    bound = float(-logp.sum(axis=0).max()) + log(k)
    assert mixed(ModelAveraging(k, forgetting=1.0), logp) <= bound + 1e-9
    # fixed share with nothing to share is the same rule
    same = mixed(FixedShare(k, share=0.0), logp) - mixed(ModelAveraging(k, forgetting=1.0), logp)
    assert abs(same) <= 1e-9


@SOME
@given(losses=adversary(), data=st.data())
def test_fixed_share_is_near_the_best_sequence_of_models(
    losses: Floats, data: st.DataObject
) -> None:
    t, k = losses.shape
    a = 0.1
    switches = min(3, t - 1)
    cuts = sorted(data.draw(st.lists(st.integers(1, max(t - 1, 1)), max_size=switches)))
    parts = [losses[i:j] for i, j in zip([0, *cuts], [*cuts, t], strict=True)]
    best = sum(float(part.sum(axis=0).min()) for part in parts if len(part))
    m = len(parts) - 1
    # a path is followed by its prior: log loss of a mixture of paths, each of which stays with 1 - a + a/K
    bound = best + log(k) - m * log(a / k) - (t - 1 - m) * log(1 - a + a / k)
    assert mixed(FixedShare(k, share=a), -losses) <= bound + 1e-9


@SOME
@given(losses=adversary(), data=st.data())
def test_with_sleepers_the_pool_is_near_each_model_while_it_is_awake(
    losses: Floats, data: st.DataObject
) -> None:
    t, k = losses.shape
    awake = data.draw(hnp.arrays(np.bool_, (t, k)))
    awake[:, 0] = True
    model = ModelAveraging(k, forgetting=1.0, keys=1)
    pool, models = np.zeros(k), np.zeros(k)
    for row, there in zip(losses, awake, strict=True):
        w = model.weights([0], there[None])[0]
        pool -= np.where(there, log(dot(w, np.exp(-row))), 0.0)
        models += np.where(there, row, 0.0)
        model.update([0], row[None], there[None])
    assert np.all(pool <= models + log(k) + 1e-9)
