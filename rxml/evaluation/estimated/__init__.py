"""How good predictions are before their labels have come, and while they come."""

from __future__ import annotations

from rxml.evaluation.estimated.accuracy import EstimatedAccuracy, confidence
from rxml.evaluation.estimated.macro import (
    EstimatedMacro,
    EstimatedMacroF1,
    EstimatedMacroPrecision,
    EstimatedMacroRecall,
)
from rxml.evaluation.estimated.quality import Quality
from rxml.evaluation.estimated.ratios import (
    EstimatedF1,
    EstimatedPrecision,
    EstimatedRatio,
    EstimatedRecall,
)

__all__ = [
    "EstimatedAccuracy",
    "EstimatedF1",
    "EstimatedMacro",
    "EstimatedMacroF1",
    "EstimatedMacroPrecision",
    "EstimatedMacroRecall",
    "EstimatedPrecision",
    "EstimatedRatio",
    "EstimatedRecall",
    "Quality",
    "confidence",
]
