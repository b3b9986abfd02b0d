"""Law cases of `rxml.operators.pooling`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np

from rxml import operators as ops
from rxml.learning import Label
from rxml.uncertain import Normal, pool
from rxml.uncertain.pooling import FixedShare
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

_IDS = st.integers(0, 5)
_SAID = st.sampled_from([Normal(0.0, 2.0), Normal(2.0, 1.0), Normal(-3.5, 0.5)])
SAYINGS: SearchStrategy[Any] = st.fixed_dictionaries(
    {"id": _IDS, "k": st.integers(0, 1), "a": _SAID, "b": st.none() | _SAID}
)
TOLD: SearchStrategy[Any] = SAYINGS | st.builds(Label, _IDS, st.sampled_from([0.0, 2.0, -7.5]))


def away(truths: Any, predictions: Any) -> Any:
    return np.abs(truths - predictions.mean())


def asked(element: dict[str, float]) -> float:
    return 6.0 / element["k"]


def members(element: dict[str, Any]) -> tuple[list[Normal], list[bool]]:
    """What both members say, and whether they say anything."""
    told: list[Normal | None] = [element["a"], element["b"]]
    return [Normal(0.0, 1.0) if each is None else each for each in told], [
        each is not None for each in told
    ]


def fixed_share(elements: list[Any]) -> Iterator[dict[str, Any]]:
    """Each label teaches once, the rule of its key, by the weights that were used for its element."""
    rules: list[FixedShare] = [FixedShare(2, share=0.125, keys=1) for _ in range(2)]
    seen: dict[int, tuple[int, list[Normal], list[bool], Any]] = {}
    labelled: set[int] = set()
    for element in elements:
        if isinstance(element, Label):
            if element.id in seen and element.id not in labelled:
                labelled.add(element.id)
                key, said, awake, used = seen[element.id]
                losses = [[abs(element.value - float(each.mean())) for each in said]]
                rules[key].update([0], losses, [awake], used=used)
            continue
        said, awake = members(element)
        place: int = element["k"]
        used = rules[place].weights([0], [awake])
        pooled = pool([each.as_column() for each in said], used, "log_pool")
        yield {**element, "value": pooled.at(0), "w": used[0]}
        seen.setdefault(element["id"], (place, said, awake, used))


def averaged(elements: list[Any]) -> Iterator[dict[str, Any]]:
    for element in elements:
        mean = (asked(element) + element["id"]) / 2
        yield {**element, "both": Normal(mean, 0.0)}


CASES = {
    "combine": Case(
        lambda: ops.combine(
            ["a", "b"], by="k", pool="log_pool", loss=away, share=0.125, weights_into="w"
        ),
        fixed_share,
        TOLD,
    ),
    "combine:fixed": Case(
        lambda: ops.combine({"x": asked, "y": "id"}, "vincent", into="both"), averaged, SAYINGS
    ),
}
