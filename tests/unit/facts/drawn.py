"""Facts as Hypothesis draws them, and logs to put them into."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import hypothesis.strategies as st

from rxml.facts import Fact

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)
TIMES = st.integers(-(2**63), 2**63 - 1)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=6)
    | st.binary(max_size=6)
    | st.datetimes(timezones=st.just(UTC)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
BOUNDS = st.none() | st.tuples(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
).map(sorted)
IDS = st.uuids().map(lambda each: each.hex) | TEXTS


@st.composite
def facts(draw: st.DrawFn, ids: st.SearchStrategy[str] = IDS) -> Fact:
    drawn: list[float] | None = draw(BOUNDS)
    lower, upper = drawn or (None, None)
    payload = draw(st.dictionaries(TEXTS, PLAIN, max_size=3))
    return Fact(draw(ids), draw(TEXTS), draw(TIMES), draw(TIMES), payload, lower, upper)


def numbered(count: int, start: int = 0, **fields: Any) -> list[Fact]:
    """Facts of which each has its number in its id, its times and its payload."""
    return [
        Fact(f"{n:032x}", f"sensor-{n % 7}", n * 10, n * 10 + 5, {"n": n, **fields})
        for n in range(start, start + count)
    ]
