"""Streams of predictions drawn for tests, and the metrics that judge them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rxml.evaluation.metrics import NAMES, Metrics
from rxml.evaluation.metrics.named import named
from rxml.uncertain import Normal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from rxml.evaluation.metrics import Metric

LABELS = ("no", "yes")
MODES: tuple[dict[str, Any], ...] = ({}, {"fading": 0.9}, {"window": 7})
OF_LABELS = tuple(
    name
    for name in NAMES
    if named(name, LABELS, {}).needs == ("truth", "probability")
    or name.rsplit("_", 1)[-1] in {"accuracy", "f1", "precision", "recall"}
)
OF_NUMBERS = tuple(name for name in NAMES if name not in OF_LABELS)

Columns = dict[str, "NDArray[Any]"]


def numbers(n: int, seed: int = 0) -> Columns:
    """Rows of numbers with every kind of prediction; a tenth has none."""
    rng = np.random.default_rng(seed)
    truth, mean, var = rng.normal(size=n), rng.normal(size=n), rng.uniform(0.5, 2, n)
    away = rng.uniform(0, 2, n)
    prediction = np.where(rng.uniform(size=n) < 0.1, np.nan, mean)
    return {
        "truth": truth,
        "prediction": prediction,
        "lower": mean - away,
        "upper": mean + away,
        "tau": rng.uniform(size=n),
        "level": rng.choice([0.5, 0.9], n),
        "mean": prediction,
        "var": var,
        "distribution": normals(prediction, var),
    }


def normals(mean: NDArray[Any], var: NDArray[Any]) -> NDArray[Any]:
    """A distribution a row, None where there is none."""
    column = np.empty(len(mean), object)
    for row, at in enumerate(mean.tolist()):
        column[row] = None if np.isnan(at) else Normal(at, var[row])
    return column


def labelled(n: int, seed: int = 0) -> Columns:
    """Rows of labels with probabilities that are too bold; a tenth has no prediction."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.8, 0.8, n)
    truth = np.where(rng.uniform(size=n) < 0.2 + 0.6 * p, "yes", "no").astype(object)
    prediction = np.where(p > 0.5, "yes", "no").astype(object)
    none = rng.uniform(size=n) < 0.1
    prediction[none] = None
    return {"truth": truth, "prediction": prediction, "probability": np.where(none, np.nan, p)}


def every(mode: dict[str, Any]) -> Iterator[tuple[Metrics, Any]]:
    """All named metrics that remember so, and what draws their rows."""
    yield Metrics(*OF_NUMBERS, **mode), numbers
    yield Metrics(*OF_LABELS, labels=LABELS, **mode), labelled


def cut(columns: Columns, rows: Any) -> Columns:
    return {name: column[rows] for name, column in columns.items()}


def bits(state: Any) -> Any:
    """A state in a form of which equality is that of all bits."""
    if isinstance(state, dict):
        return {name: bits(each) for name, each in cast("dict[str, Any]", state).items()}
    if isinstance(state, np.ndarray):
        array = cast("NDArray[Any]", state)
        return str(array.dtype), array.shape, array.tobytes()
    return state


def fed(metric: Metric[Any], columns: Columns, slots: Sequence[int] | None = None) -> Metric[Any]:
    at = None if slots is None else np.asarray(slots)
    metric.update(*(columns[name] for name in metric.needs), slots=at)
    return metric
