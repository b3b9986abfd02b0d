"""Windows of scores against a list that is sorted anew each time."""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rxml.uncertain.calibration.windows import ScoreWindows

if TYPE_CHECKING:
    from rxml.uncertain.calibration.calibrator import Unbounded

SCORES = st.one_of(st.floats(allow_nan=False), st.integers(-3, 3).map(float))


@given(
    scores=st.lists(SCORES.map(lambda score: score + 0.0), max_size=40),
    size=st.integers(1, 12),
    ways=st.lists(st.integers(0, 2), min_size=40, max_size=40),
)
def test_order_is_kept_whichever_way_scores_come(
    scores: list[float], size: int, ways: list[int]
) -> None:
    windows = ScoreWindows(2, size)
    for count, (score, way) in enumerate(zip(scores, ways, strict=False), 1):
        if way == 0:
            windows.put_one(1, score)
        elif way == 1:
            windows.put(np.array([1]), np.array([score]))
        else:
            windows.put_many(1, np.array([score]))
        newest = scores[max(0, count - size) : count]
        padded = sorted(newest) + [inf] * (size - len(newest))
        assert windows["ordered"][1].tolist() == padded
        assert windows["count"][1] == len(newest)
    assert windows["ordered"][0].tolist() == [inf] * size


@given(scores=st.lists(SCORES, max_size=30), size=st.integers(1, 9), cut=st.integers(0, 30))
def test_many_for_one_key_are_one_after_the_other(scores: list[float], size: int, cut: int) -> None:
    many, single = ScoreWindows(1, size), ScoreWindows(1, size)
    for part in (scores[:cut], scores[cut:]):
        many.put_many(0, np.array(part) + 0.0)
    for score in scores:
        single.put_one(0, score + 0.0)
    for name in ("arrived", "ordered", "next", "count"):
        assert many[name].tobytes() == single[name].tobytes()


@given(
    scores=st.lists(st.floats(-5, 5), max_size=20),
    alpha=st.one_of(st.floats(-0.5, 1.5), st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0])),
)
def test_radii_are_the_quantile_that_alpha_asks_for(scores: list[float], alpha: float) -> None:
    windows = ScoreWindows(1, 20)
    windows.put_many(0, np.array(scores) + 0.0)
    n, ordered = len(scores), sorted(score + 0.0 for score in scores)
    rank = ceil((n + 1) * (1 - alpha) - 1e-9)
    bounded = ordered[rank - 1] if 1 <= rank <= n else (inf if rank > n else -inf)
    clipped = ordered[min(max(rank, 1), n) - 1] if n else inf
    wanted_by: dict[Unbounded, float] = {"inf": bounded, "max": clipped, 2.0: min(bounded, 2.0)}
    for policy, wanted in wanted_by.items():
        (radius,) = windows.radii(np.array([0]), np.array([alpha]), policy)
        assert radius == windows.radius_one(0, alpha, policy) == wanted


def test_whole_ranks_are_not_raised_by_rounding() -> None:
    for n in range(1, 2000):
        for percent in (1, 5, 10, 20, 30, 93):
            windows_rank = ceil((n + 1.0) * (1.0 - (1.0 - percent / 100)) - 1e-9)
            assert windows_rank == -(-(n + 1) * percent // 100)
