"""Probabilities that mean what they say: maps from what a model says to what happens, which learn from labels.

    >>> import numpy as np
    >>> from rxml.uncertain.calibration.probabilities import HistogramBinning
    >>> calibrator = HistogramBinning(bins=2)
    >>> issued = calibrator.issue([0, 0, 0], [0.9, 0.8, 0.9])
    >>> calibrator.update([0, 0, 0], issued, [1, 0, 0])
    >>> calibrator.issue(
    ...     [0], [0.95]
    ... ).tolist()  # the probability, its Beta distribution, and what the model said
    [[0.4, 2.0, 3.0, 0.95]]

Which to take: `PlattScaling` for what is over- or underconfident by a simple rule, `BetaScaling` for that of tree and
Bayes models, `Temperature` for networks (`ClassTemperature` for several classes); with more labels, and no rule,
`IsotonicCalibration`; where the doubt is to be told too, `HistogramBinning` (a Beta distribution) or `VennAbers` (an
interval). `Calibeating` on top of any of them holds against whatever comes.
"""

from __future__ import annotations

from rxml.uncertain.calibration.probabilities.calibeating import Calibeating
from rxml.uncertain.calibration.probabilities.histogram import HistogramBinning
from rxml.uncertain.calibration.probabilities.isotonic import IsotonicCalibration
from rxml.uncertain.calibration.probabilities.keyed import CALIBRATED, GIVEN, KeyedProbability
from rxml.uncertain.calibration.probabilities.scaling import BetaScaling, PlattScaling, Scaling
from rxml.uncertain.calibration.probabilities.temperature import ClassTemperature, Temperature
from rxml.uncertain.calibration.probabilities.venn_abers import VennAbers

__all__ = [
    "CALIBRATED",
    "GIVEN",
    "BetaScaling",
    "Calibeating",
    "ClassTemperature",
    "HistogramBinning",
    "IsotonicCalibration",
    "KeyedProbability",
    "PlattScaling",
    "Scaling",
    "Temperature",
    "VennAbers",
]
