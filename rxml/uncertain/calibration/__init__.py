"""Calibration: intervals, sets and probabilities that hold, kept so while labels come.

    >>> import numpy as np
    >>> from rxml.uncertain.calibration import ACI, INTERVAL_SCORES
    >>> score, calibrator = INTERVAL_SCORES["abs"], ACI(0.9, gamma=0.02)
    >>> missed = 0
    >>> for y in np.random.default_rng(0).normal(size=1000):
    ...     parts, issued = (
    ...         [[0.0]],
    ...         calibrator.issue([0]),
    ...     )  # what a model says, and the radius around it
    ...     low, high = score.bounds(parts, issued[:, :1])
    ...     missed += int(not low[0] <= y <= high[0])
    ...     calibrator.update([0], score.of(parts, [y])[:, 0], issued)
    >>> missed
    102

A *score* says how far a label is from what was predicted, and turns a radius into the interval (`INTERVAL_SCORES`) or
the set of classes (`SetScore`) of all that score no more. A *calibrator* issues the radius, and learns from the scores
of labels, for many keys at once. A `Ledger` keeps what was issued until the label comes, in bounded memory.

Which calibrator to take:

- scores that drift: `ACI`, which keeps the long-run share of misses for any sequence, or `DtACI`, which finds its own step;
- scores that do not: `SplitConformal`, by key or of all keys together; that age slowly: `NexCP`;
- very many keys: `QuantileTracker` keeps no scores; `PIDTracker` adds an integrator and a forecast.

Probabilities are in `rxml.uncertain.calibration.probabilities`.
"""

from __future__ import annotations

from rxml.uncertain.calibration.aci import ACI
from rxml.uncertain.calibration.calibrator import RADIUS, Calibrator, Unbounded
from rxml.uncertain.calibration.dtaci import DtACI
from rxml.uncertain.calibration.labels import Counts, Id, Ledger, Taken
from rxml.uncertain.calibration.nexcp import NexCP
from rxml.uncertain.calibration.pid import PIDTracker
from rxml.uncertain.calibration.quantile_tracker import QuantileTracker
from rxml.uncertain.calibration.scores import (
    INTERVAL_SCORES,
    IntervalScore,
    side_level,
    side_slots,
)
from rxml.uncertain.calibration.sets import SetScore
from rxml.uncertain.calibration.split import SplitConformal

__all__ = [
    "ACI",
    "INTERVAL_SCORES",
    "RADIUS",
    "Calibrator",
    "Counts",
    "DtACI",
    "Id",
    "IntervalScore",
    "Ledger",
    "NexCP",
    "PIDTracker",
    "QuantileTracker",
    "SetScore",
    "SplitConformal",
    "Taken",
    "Unbounded",
    "side_level",
    "side_slots",
]
