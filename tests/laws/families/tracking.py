"""Law cases of `rxml.operators.tracking`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np

from rxml import operators as ops
from rxml.uncertain import Normal
from rxml.uncertain.pooling import LocalLevel
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

READINGS: SearchStrategy[Any] = st.fixed_dictionaries(
    {
        "k": st.integers(0, 1),
        "x": st.none() | st.sampled_from([1.0, -2.5, 4.0, Normal(2.0, 3.0)]),
        "t": st.integers(0, 9),
    }
)


def tracked(elements: list[Any]) -> Iterator[dict[str, Any]]:
    """One filter a key; what it sees are single readings, at the numbers of the elements of that key."""
    models = [LocalLevel(0.5, keys=1) for _ in range(2)]
    counts = [0, 0]
    for element in elements:
        key: int = element["k"]
        seen = element["x"]
        y, v = (float(seen.mean()), 3.0) if isinstance(seen, Normal) else (seen, 0.0)
        told = models[key].update([0], [counts[key]], [np.nan if y is None else y], v + 2.0)
        counts[key] += 1
        yield {
            **element,
            "level": Normal(told.mean[0], told.var[0]),
            "nis": float(told.nis[0]),
        }


CASES = {
    "track": Case(lambda: ops.track("x", q=0.5, r=2.0, by="k", per="element"), tracked, READINGS),
}
