"""Law cases of `rxml.operators.calibration`."""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import operators as ops
from rxml.errors import SchemaError
from rxml.learning import Label
from rxml.uncertain import Beta, Interval
from rxml.uncertain.calibration.probabilities import HistogramBinning
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

_IDS = st.integers(0, 5)
PREDICTIONS: SearchStrategy[Any] = st.fixed_dictionaries(
    {"id": _IDS, "k": st.integers(0, 1), "x": st.sampled_from([0.0, 1.0, 2.0, -3.0])}
)
MIXED: SearchStrategy[Any] = PREDICTIONS | st.builds(Label, _IDS, st.sampled_from([0.0, 2.0, -7.5]))


def predicted(row: dict[str, float]) -> float:
    return 6.0 / row["x"]


def quantile(scores: list[float], level: float) -> float:
    """The ceil((n + 1) level)-th smallest score; infinite if there are too few."""
    rank = ceil((len(scores) + 1) * level - 1e-9)
    return sorted(scores)[rank - 1] if rank <= len(scores) else inf


def split(elements: list[Any]) -> Iterator[dict[str, Any]]:
    """Split conformal of level 1/2 on all scores of a key, or of all while it has one or none, each label counted once."""
    scores: dict[int, list[float]] = {0: [], 1: []}
    seen: dict[int, tuple[int, float]] = {}
    labelled: set[int] = set()
    for element in elements:
        if isinstance(element, Label):
            if element.id in seen and element.id not in labelled:
                labelled.add(element.id)
                key, value = seen[element.id]
                scores[key].append(abs(element.value - value))
            continue
        value = predicted(element)
        own = scores[element["k"]]
        radius = quantile(own if len(own) > 1 else [*scores[0], *scores[1]], 0.5)
        yield {
            **element,
            "interval": Interval(value - radius, value + radius, level=0.5, sort="conformal"),
        }
        seen.setdefault(element["id"], (element["k"], value))


CHANCES: SearchStrategy[Any] = st.fixed_dictionaries(
    {"id": _IDS, "k": st.integers(0, 1), "x": st.sampled_from([0.0, 0.25, 0.75, -1.0])}
) | st.builds(Label, _IDS, st.sampled_from([0, 1, True]))


def binned(elements: list[Any]) -> Iterator[dict[str, Any]]:
    """Two bins a key, which begin as Beta(1, 1)."""
    bins = {(k, half): [1.0, 1.0] for k in (0, 1) for half in (False, True)}
    seen: dict[int, tuple[int, bool]] = {}
    labelled: set[int] = set()
    for element in elements:
        if isinstance(element, Label):
            if element.id in seen and element.id not in labelled:
                labelled.add(element.id)
                bins[seen[element.id]][0 if element.value else 1] += 1.0
            continue
        if element["x"] < 0:
            raise SchemaError
        place = element["k"], element["x"] >= 0.5
        yield {**element, "probability": Beta(*bins[place])}
        seen.setdefault(element["id"], place)


def halves() -> HistogramBinning:
    return HistogramBinning(2)


CASES = {
    "calibrate": Case(
        lambda: ops.calibrate(0.5, method="split", by="k", prediction=predicted), split, MIXED
    ),
    "calibrate_probability": Case(
        lambda: ops.calibrate_probability(halves, by="k", prediction="x"), binned, CHANCES
    ),
}
