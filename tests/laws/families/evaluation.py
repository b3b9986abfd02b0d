"""Law cases of `rxml.operators.evaluation`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import operators as ops
from rxml.evaluation.drift import PageHinkley
from rxml.evaluation.metrics import Metrics
from rxml.learning import Evaluation, Label
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

_IDS = st.integers(0, 5)
PREDICTIONS: SearchStrategy[Any] = st.fixed_dictionaries(
    {"id": _IDS, "value": st.sampled_from([0.0, 1.0, 2.0])}
)
MIXED: SearchStrategy[Any] = PREDICTIONS | st.builds(Label, _IDS, st.sampled_from([0.0, 2.5]))


def predicted(row: dict[str, float]) -> float:
    return 6.0 / row["value"]


def without_labels(elements: list[Any]) -> Iterator[Any]:
    for element in elements:
        if not isinstance(element, Label):
            predicted(element)
            yield element


def detector() -> PageHinkley:
    return PageHinkley(min_instances=2, threshold=0.5)


def watched(elements: list[Any]) -> Iterator[dict[str, Any]]:
    """What the detector itself says of the numbers of each key, one by one."""
    detectors = {0: detector(), 1: detector()}
    for row in elements:
        value = predicted(row)
        yield {**row, "drift": detectors[row["id"] % 2].update(value)}


def wrong(elements: list[Any]) -> Iterator[dict[str, Any]]:
    """What it says of errors as labels come, told with the next element."""
    watching, drifted = detector(), False
    seen: dict[int, float] = {}
    settled: set[int] = set()
    for element in elements:
        if isinstance(element, Label):
            if element.id in seen and element.id not in settled:
                settled.add(element.id)
                drifted |= watching.update(abs(seen[element.id] - element.value))
            continue
        value = predicted(element)
        yield {**element, "drift": drifted}
        drifted = False
        seen.setdefault(element["id"], value)


def key(row: dict[str, int]) -> int:
    return row["id"] % 2


def error(prediction: float, truth: float) -> float:
    return abs(prediction - truth)


CASES = {
    "detect_drift": Case(
        lambda: ops.detect_drift(detector(), predicted, by=key), watched, PREDICTIONS
    ),
    "detect_drift:loss": Case(
        lambda: ops.detect_drift(detector(), predicted, loss=error), wrong, MIXED
    ),
    "evaluate": Case(
        lambda: ops.evaluate(Evaluation(Metrics("mae"), every=2), prediction=predicted),
        without_labels,
        MIXED,
    ),
}
