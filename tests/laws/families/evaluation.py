"""Law cases of `rxml.operators.evaluation`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import operators as ops
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


CASES = {
    "evaluate": Case(
        lambda: ops.evaluate(Evaluation(Metrics("mae"), every=2), prediction=predicted),
        without_labels,
        MIXED,
    ),
}
