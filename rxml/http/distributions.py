"""Distributions in JSON: their moments, and an interval of a level that is told with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.uncertain import Alternatives, Bernoulli, Categorical, Interval
from rxml.uncertain.distribution import Distribution

if TYPE_CHECKING:
    from rxml.uncertain.rows import Rows

LEVEL: Final = 0.9
"""Of the intervals that are told of distributions."""


def plain(value: Rows) -> dict[str, Any]:
    """What JSON says of a distribution; of a column, with a list for each number.

    Normals and their like have `mean`, `variance`, and `lower` and `upper` at `level`.
    """
    match value:
        case Interval():
            return {"lower": value.lo, "upper": value.hi, "level": value.level, "sort": value.sort}
        case Categorical():
            return {"classes": value.classes, "probabilities": value.p}
        case Bernoulli():
            lower, upper = value.bounds
            return {"lower": lower, "upper": upper}
        case Alternatives():
            return {"values": value.values, "probabilities": value.p}
        case Distribution():
            return _moments(value)
        case _:
            return {**value.parameters(), "kind": value.kind}


def _moments(value: Distribution) -> dict[str, Any]:
    bounds = value.interval(LEVEL)
    found = {"mean": value.mean(), "variance": value.var(), "lower": bounds.lo, "upper": bounds.hi}
    return {**found, "level": LEVEL}


def summary(value: Rows) -> dict[str, Any]:
    """What stands for a distribution in an answer: a number as its value, and how sure that is."""
    match value:
        case Categorical():
            return {"value": value.classes[np.argmax(value.p)]}
        case Alternatives():
            return {"value": plain(value)}  # names have no mean
        case Distribution():
            bounds = value.interval(LEVEL)
            interval = float(bounds.lo), float(bounds.hi)
            told = {"interval": interval, "level": LEVEL, "variance": float(value.var())}
            return {"value": float(value.mean()), **told}
        case _:
            return {"value": plain(value)}
