"""Law cases of `rxml.operators.quality`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import operators as ops
from rxml.learning import EstimatedQuality, Label
from rxml.uncertain import Bernoulli
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

    from rxml.flow.operator import Operator

_IDS = st.integers(0, 5)
_SAID = st.sampled_from([0.0, 0.25, 1.0, Bernoulli(0.75)])
SAYINGS: SearchStrategy[Any] = st.fixed_dictionaries(
    {"id": _IDS, "k": st.integers(0, 1), "p": _SAID}
)
TOLD: SearchStrategy[Any] = SAYINGS | st.builds(Label, _IDS, st.sampled_from([0, 1, None]))


def estimated() -> Operator[Any, Any]:
    return ops.estimate_quality(EstimatedQuality(3, every=4), prediction="p", by="k")


def elements_alone(elements: list[Any]) -> Iterator[Any]:
    for element in elements:
        if not isinstance(element, Label):
            assert {"id", "k", "p"} <= set(element)
            yield element


CASES = {"estimate_quality": Case(estimated, elements_alone, TOLD)}
