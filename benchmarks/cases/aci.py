"""aci: radii that follow what was missed: one key by itself, ten thousand keys at once, and those without memory of scores.

MAPIE has one key by itself, whose first scores it is given beforehand, since it remembers as many as it begins with. Its radii are
compared here with those of a sorted window; the others add up other labels, from none remembered on.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from functools import cache, partial
from math import ceil, inf, isclose
from typing import TYPE_CHECKING, Any

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.cases.events import clocked

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW = 500
"""Scores that are remembered of the one key."""
KEYS = 10_000
KEYS_WINDOW = 200
LEVEL, GAMMA, RATE = 0.9, 0.02, 0.05
TARGET = 1.0 - LEVEL
DISTINCT = 31
"""Rows of scores, one for each key, that are used in turn."""
MAPIE_SHARE = 100
"""Of so many labels of the one key MAPIE has one, which takes it hundreds of times as long."""


@cache
def scores(size: int) -> tuple[list[float], Any]:
    """Of the one key, `size` of them; of the many, (31, keys)."""
    import numpy as np  # noqa: PLC0415

    generator = np.random.default_rng(5)
    one = np.abs(generator.normal(size=size)) * np.repeat([1.0, 3.0], [size - size // 2, size // 2])
    return one.tolist(), generator.exponential(size=(DISTINCT, KEYS))


def one_by_hand(size: int) -> float:
    """A sorted list and a deque."""
    newest: deque[float] = deque()
    ordered: list[float] = []
    alpha, total = TARGET, 0.0
    for score in scores(size)[0]:
        rank = ceil((len(ordered) + 1) * (1.0 - alpha) - 1e-9)
        radius = ordered[rank - 1] if 1 <= rank <= len(ordered) else inf if rank > 0 else -inf
        missed = score > radius
        total += alpha + missed
        alpha += GAMMA * (TARGET - missed)
        if len(newest) == WINDOW:
            ordered.pop(bisect_left(ordered, newest.popleft()))
        newest.append(score)
        insort(ordered, score)
    return total


def one_by_rxml(size: int) -> float:
    """Ours, for a single row."""
    from rxml.uncertain.calibration.aci import ACI  # noqa: PLC0415

    calibrator, total = ACI(LEVEL, gamma=GAMMA, window=WINDOW), 0.0
    for score in scores(size)[0]:
        radius, alpha = calibrator.issue_one(0)
        total += alpha + (score > radius)
        calibrator.update_one(0, score, radius)
    return total


def many_by_hand(size: int) -> float:
    """An array that is sorted anew at every step."""
    import numpy as np  # noqa: PLC0415

    newest = np.full((KEYS, KEYS_WINDOW), inf)
    ordered, each = newest, np.arange(KEYS)
    alpha, total = np.full(KEYS, TARGET), 0.0
    for step in range(steps(size)):
        count = min(step, KEYS_WINDOW)
        rank = np.ceil((count + 1) * (1.0 - alpha) - 1e-9)
        radius = ordered[each, np.clip(rank, 1, max(count, 1)).astype(np.intp) - 1]
        radius = np.where(rank > count, inf, np.where(rank < 1, -inf, radius))
        row = scores(size)[1][step % DISTINCT]
        missed = row > radius
        total += float(alpha.sum()) + int(missed.sum())
        alpha += GAMMA * (TARGET - missed)
        newest[:, step % KEYS_WINDOW] = row
        ordered = np.sort(newest, axis=1)
    return total


def many_by_rxml(size: int) -> float:
    """Ours, for all keys at once."""
    import numpy as np  # noqa: PLC0415

    from rxml.uncertain.calibration.aci import ACI  # noqa: PLC0415

    calibrator = ACI(LEVEL, gamma=GAMMA, window=KEYS_WINDOW, keys=KEYS)
    slots, total = np.arange(KEYS), 0.0
    for step in range(steps(size)):
        issued = calibrator.issue(slots)
        row = scores(size)[1][step % DISTINCT]
        total += float(issued[:, 1].sum()) + int((row > issued[:, 0]).sum())
        calibrator.update(slots, row, issued)
    return total


def tracked_by_hand(size: int) -> float:
    """The bare expression."""
    rows = scores(size)[1]
    radius = rows[0] - RATE * TARGET
    for step in range(1, 10 * steps(size)):
        radius += RATE * ((rows[step % DISTINCT] > radius) - TARGET)
    return float(radius.sum())


def tracked_by_rxml(size: int) -> float:
    """Ours, with what it checks, and the radii kept apart from what was issued."""
    import numpy as np  # noqa: PLC0415

    from rxml.uncertain.calibration.quantile_tracker import QuantileTracker  # noqa: PLC0415

    calibrator = QuantileTracker(LEVEL, rate=RATE, unit="score", keys=KEYS)
    slots, rows = np.arange(KEYS), scores(size)[1]
    for step in range(10 * steps(size)):
        calibrator.update(slots, rows[step % DISTINCT], calibrator.issue(slots))
    return float(calibrator.issue(slots).sum())


def steps(size: int) -> int:
    """Labels of each of the many keys; those without memory have ten times as many."""
    return max(2, size // 200)


def timed(
    one: Callable[[int], float],
    many: Callable[[int], float],
    tracked: Callable[[int], float],
    size: int,
) -> Outcome:
    """One after the other, each with its clock: all seconds are for `size`, whatever was done in them."""
    scores(size)
    parts = {"one_seconds": one, "many_seconds": many, "tracked_seconds": tracked}
    measures: dict[str, float] = {}
    checksum = 0.0
    for name, run in parts.items():
        total, took = clocked(partial(run, size))
        checksum += total
        measures[name] = took["seconds"]
    return Outcome(checksum, measures)


def by_hand(size: int) -> Outcome:
    """Plain lists for one key, bare numpy for many."""
    return timed(one_by_hand, many_by_hand, tracked_by_hand, size)


def rxml(size: int) -> Outcome:
    """Ours."""
    return timed(one_by_rxml, many_by_rxml, tracked_by_rxml, size)


def by_mapie(size: int) -> Outcome:
    """One key; seconds are for `size` labels, of which it has a few."""
    from benchmarks.peers.mapie import Adaptive  # noqa: PLC0415

    count = max(2, size // MAPIE_SHARE)
    given = scores(max(size, WINDOW + count))[0][: WINDOW + count]
    adaptive = Adaptive(given[:WINDOW], LEVEL, GAMMA)
    radii, took = clocked(partial(adaptive.follow, given[WINDOW:]))
    compare(radii, given)
    return Outcome(None, {"one_seconds": took["seconds"] * size / count})


def compare(radii: list[float], given: list[float]) -> None:
    """Hold radii against the quantiles of the scores that were remembered, alpha kept within 0 and 1 as MAPIE does.

    Raises:
        ValueError: one is another.
    """
    alpha = TARGET
    for step, radius in enumerate(radii):
        rank = ceil((WINDOW + 1) * (1.0 - alpha) - 1e-9)
        remembered = sorted(given[step : step + WINDOW])
        wanted = inf if rank > WINDOW else remembered[rank - 1]
        if not isclose(radius, wanted, rel_tol=1e-9):
            raise ValueError(f"label {step}: the radius must be {wanted}, got {radius}")
        missed = given[step + WINDOW] > wanted
        alpha = min(1.0, max(0.0, alpha + GAMMA * (TARGET - missed)))


CASE = Case(
    name="aci",
    what="adaptive radii: one key, label by label; 10,000 keys of 200 scores at once; 10,000 keys tracked without scores",
    limit="two binary searches in a list; a sort of all rows; one expression of arrays",
    size=50_000,
    quick=10_000,
    unit="labels",
    contestants={
        "rxml": Contestant(rxml, "ACI.issue_one, update_one; ACI.issue, update; QuantileTracker"),
        "hand": Contestant(by_hand, "bisect in a list; numpy.sort; the bare expression"),
        "mapie": Contestant(
            by_mapie, "TimeSeriesRegressor: predict, adapt_conformal_inference, update", "mapie"
        ),
    },
    musts=(
        Must("speed", "hand", 0.4, "one_seconds"),
        Must("speed", "hand", 0.7, "many_seconds"),
        Must("speed", "hand", 0.2, "tracked_seconds"),
        Must("speed", "mapie", 50.0, "one_seconds"),
    ),
    shown=("one_seconds", "many_seconds", "tracked_seconds"),
    tolerance=1e-9,
)
