"""Scenes: what the pictures of the documentation show, simulated from fixed seeds by rxml's own calibrators and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.uncertain.calibration import (
    ACI,
    DtACI,
    NexCP,
    PIDTracker,
    QuantileTracker,
    SplitConformal,
)
from rxml.uncertain.possible.counts import count
from tests.house.pictures.drawing import Dots, Line, Panel, Spans, picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rxml.uncertain.calibration import Calibrator
    from tests.house.pictures.drawing import Mark

    Floats = NDArray[np.float64]
    Points = list[tuple[float, float]]
    Found = dict[str, tuple[str, Floats]]

BLUE: Final = "#0072b2"
ORANGE: Final = "#d55e00"
GREEN: Final = "#00805e"
PURPLE: Final = "#aa4499"
BROWN: Final = "#8a5a00"
GREY: Final = "#767676"

LEVEL: Final = 0.9
WARM: Final = 300
"""Labels before the picture begins: from then on all methods know something."""

SHIFT: Final = 1000
STORM: Final = 600
SHARES: Final = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def shift() -> str:
    """Coverage through a level shift: a radius that stays, and two that adapt."""
    rng = np.random.default_rng(5)
    bias = np.where(np.arange(WARM + 2500) < WARM + SHIFT, 0.0, 1.5)
    scores = np.abs(rng.normal(size=len(bias)) + bias)
    found: Found = {
        "fixed": (GREY, walked(SplitConformal(LEVEL), scores, learns=WARM)),
        "ACI": (ORANGE, walked(ACI(LEVEL, gamma=0.02), scores)),
        "DtACI": (BLUE, walked(DtACI(LEVEL), scores)),
    }
    after = slice(WARM + SHIFT, None)
    held = [
        Line(
            f"{n}: {share(radii, scores)}, {share(radii, scores, after)}",
            c,
            recent(radii, scores, 200),
        )
        for n, (c, radii) in found.items()
    ]
    wide = [
        Line(f"{n}: {2 * np.median(radii[after]):.1f} after it", c, smoothed(2 * radii, 1))
        for n, (c, radii) in found.items()
    ]
    title = "share held, of the last 200; right: of all, after the shift"
    panels = [
        Panel(title, held, SHARES, (LEVEL,), (SHIFT,)),
        Panel(
            "width, in standard deviations; right: its median", wide, (0, 2, 4, 6, 8), (), (SHIFT,)
        ),
    ]
    text = "Shares of labels within 90 % intervals through a level shift: the fixed interval falls to about a half"
    text += " and stays there; ACI and DtACI fall too, and come back by growing wider."
    return picture(
        text, "labels; the level shifts by 1.5 at the dashed line", range(0, 2501, 500), panels
    )


def crash() -> str:
    """Widths and coverage of six methods through a storm of volatility."""
    rng = np.random.default_rng(11)
    scores = np.abs(rng.normal(size=WARM + 1500)) * volatility(WARM + 1500)
    methods: dict[str, tuple[str, Calibrator]] = {
        "split": (GREY, SplitConformal(LEVEL)),
        "nexcp": (BROWN, NexCP(LEVEL)),
        "aci": (ORANGE, ACI(LEVEL, gamma=0.02, on_unbounded="max")),
        "dtaci": (BLUE, DtACI(LEVEL, on_unbounded="max")),
        "quantile_tracker": (GREEN, QuantileTracker(LEVEL)),
        "pid": (PURPLE, PIDTracker(LEVEL, on_unbounded="max")),
    }
    found: Found = {n: (c, walked(each, scores)) for n, (c, each) in methods.items()}
    within = slice(WARM + STORM, WARM + STORM + 200)
    wide = [
        Line(f"{n}: {2 * radii[WARM:].mean():.1f}", c, smoothed(2 * radii, 10))
        for n, (c, radii) in found.items()
    ]
    held = [
        Line(
            f"{n}: {share(radii, scores)}, {share(radii, scores, within)}",
            c,
            recent(radii, scores, 100),
        )
        for n, (c, radii) in found.items()
    ]
    edges = (STORM, STORM + 200)
    title = "share held, of the last 100; right: of all, in the storm"
    panels = [
        Panel("width, in % of the price; right: its mean", wide, (0, 5, 10, 15, 20), (), edges),
        Panel(title, held, SHARES, (LEVEL,), edges),
    ]
    text = "Widths and shares held of six methods through 200 days of four times the volatility, which then ebbs away."
    return picture(
        text, "days; the storm lasts from one dashed line to the other", range(0, 1501, 300), panels
    )


def counts() -> str:
    """Events of 40 windows: those that came, those likelier than not, and the distribution of their number."""
    rng = np.random.default_rng(3)
    p = rng.beta(1.0, 9.0, size=(40, 100))
    truth = (rng.random(p.shape) < p).sum(axis=1).astype(np.float64)
    pmf, likely = count(p), (p > 0.5).sum(axis=1).astype(np.float64)
    low, high = pmf.ppf(0.05), pmf.ppf(0.95)
    held = float(((low <= truth) & (truth <= high)).mean())
    off = [float(np.abs(each - truth).mean()) for each in (pmf.mean(), likely)]
    marks: list[Mark] = [
        Spans(f"90 % interval, held {held:.1%}", BLUE, spans(low, high)),
        Dots(f"expected, off by {off[0]:.1f}", BLUE, points(pmf.mean())),
        Dots("events that came", "#222222", points(truth), 2.0),
        Dots(f"p > .5, off by {off[1]:.1f}", ORANGE, points(likely)),
    ]
    text = "Counts of rare events by window: counting those with p > .5 finds almost none; the expected count is near"
    text += " what came, and its interval holds it."
    return picture(
        text,
        "window of 100 events, each with a probability of its own (Beta(1, 9))",
        range(0, 41, 10),
        [Panel("events in a window", marks, (0, 5, 10, 15, 20))],
    )


SCENES: Final[dict[str, Callable[[], str]]] = {
    "coverage-shift.svg": shift,
    "methods-crash.svg": crash,
    "counts.svg": counts,
}


def volatility(days: int) -> Floats:
    """1 % a day, 4 % for 200 days, and then back with a half-life of 70 days."""
    day = np.arange(days) - WARM - STORM
    ebb = np.exp2(-np.maximum(day - 200, 0) / 70.0)
    return np.where(day < 0, 1.0, 1.0 + 3.0 * ebb)


def walked(calibrator: Any, scores: Floats, learns: int | None = None) -> Floats:
    """The radius before each score came, of one key; from `learns` on nothing is learnt."""
    radii = np.empty(len(scores))
    for at, score in enumerate(scores.tolist()):
        issued = calibrator.issue([0])
        radii[at] = issued[0, 0]
        if learns is None or at < learns:
            calibrator.update([0], [score], issued)
    return radii


def share(radii: Floats, scores: Floats, within: slice = slice(WARM, None)) -> str:
    """The share that was held."""
    return f"{(scores <= radii)[within].mean():.2f}"


def recent(radii: Floats, scores: Floats, over: int) -> Points:
    """The share of the last scores that were held, every tenth."""
    return smoothed((scores <= radii).astype(np.float64), over)


def smoothed(values: Floats, over: int) -> Points:
    """The mean of the last values, every tenth, from the end of the warm-up."""
    sums = np.concatenate([[0.0], np.cumsum(values[np.isfinite(values)])])
    skipped = len(values) - len(sums) + 1
    at = range(WARM, len(values), 10)
    return [(i - WARM, float(sums[i - skipped] - sums[i - skipped - over]) / over) for i in at]


def points(values: Floats) -> Points:
    """One at each whole x, from 1."""
    return [(x, float(y)) for x, y in enumerate(values, 1)]


def spans(low: Floats, high: Floats) -> Sequence[tuple[float, float, float]]:
    """One at each whole x, from 1; a count is drawn half a step beyond its ends."""
    ends = zip(low, high, strict=True)
    return [(x, float(lo) - 0.25, float(hi) + 0.25) for x, (lo, hi) in enumerate(ends, 1)]
