"""Metrics of a stream of predictions: of all rows, of rows that fade, or of the last, each with its own uncertainty.

Where a prediction is judged before it is learnt from, this is prequential evaluation (Dawid, 1984; Gama, Sebastiao
and Rodrigues, 2013). Intervals take rows for independent and are for one look; those that hold at every look are
beside this room.
"""

from __future__ import annotations

from rxml.evaluation.metrics.bins import Binned, Bins
from rxml.evaluation.metrics.collection import Metrics
from rxml.evaluation.metrics.confusion import F1, FromConfusion, Precision, Recall
from rxml.evaluation.metrics.means import Mean, RootMean
from rxml.evaluation.metrics.metric import Metric
from rxml.evaluation.metrics.moments import Moments
from rxml.evaluation.metrics.named import NAMES
from rxml.evaluation.metrics.pit import PIT
from rxml.evaluation.metrics.reliability import (
    ECE,
    Reliability,
    Resolution,
    SpiegelhalterZ,
    Uncertainty,
)
from rxml.evaluation.metrics.shares import Accuracy, Coverage, Share

__all__ = [
    "ECE",
    "F1",
    "NAMES",
    "PIT",
    "Accuracy",
    "Binned",
    "Bins",
    "Coverage",
    "FromConfusion",
    "Mean",
    "Metric",
    "Metrics",
    "Moments",
    "Precision",
    "Recall",
    "Reliability",
    "Resolution",
    "RootMean",
    "Share",
    "SpiegelhalterZ",
    "Uncertainty",
]
