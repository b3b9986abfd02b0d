"""Scores of predictions, one value a row, in pure numpy; less is better, names and arguments close to scoringrules'.

A row whose observation or prediction is NaN scores NaN.
"""

from __future__ import annotations

from rxml.evaluation.scores.classes import (
    brier_categorical,
    brier_score,
    log_loss,
    log_loss_categorical,
    rps_score,
)
from rxml.evaluation.scores.columns import crps_column, pit_column
from rxml.evaluation.scores.crps import (
    crps_ensemble,
    crps_mixture,
    crps_normal,
    crps_quantile,
    logs_normal,
)
from rxml.evaluation.scores.intervals import (
    covered,
    interval_score,
    weighted_interval_score,
    width,
)
from rxml.evaluation.scores.pit import pit_ensemble, pit_mixture, pit_normal, pit_quantile
from rxml.evaluation.scores.points import (
    absolute_error,
    dawid_sebastiani,
    nis,
    pinball,
    squared_error,
)

__all__ = [
    "absolute_error",
    "brier_categorical",
    "brier_score",
    "covered",
    "crps_column",
    "crps_ensemble",
    "crps_mixture",
    "crps_normal",
    "crps_quantile",
    "dawid_sebastiani",
    "interval_score",
    "log_loss",
    "log_loss_categorical",
    "logs_normal",
    "nis",
    "pinball",
    "pit_column",
    "pit_ensemble",
    "pit_mixture",
    "pit_normal",
    "pit_quantile",
    "rps_score",
    "squared_error",
    "weighted_interval_score",
    "width",
]
