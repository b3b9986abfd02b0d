"""Facts as Hypothesis draws them: few keys and times, so that they meet; and the simplest log there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np

from rxml.facts.fact import Fact
from rxml.facts.table import facts_batch, objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hypothesis.strategies import SearchStrategy

    from rxml.batch import Batch

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MOMENTS = st.integers(-(10**15), 10**15).map(
    lambda at: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    TEXTS,
    st.binary(max_size=8),
    MOMENTS,
)
NAMES = TEXTS | st.sampled_from(["$bytes", "$datetime", "$float", "$map"])
VALUES: SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=6,
)
PAYLOADS: SearchStrategy[dict[str, Any]] = st.dictionaries(NAMES, VALUES, max_size=3)


@st.composite
def drawn_facts(
    draw: st.DrawFn, payloads: SearchStrategy[dict[str, Any]] | None = None, max_size: int = 40
) -> list[Fact]:
    """Facts in the order of their arrival; their ids are in no order."""
    times = st.integers(0, 9)
    count = draw(st.integers(0, max_size))
    ids = draw(st.permutations([f"{number:02x}" for number in range(count)]))
    if payloads is None:
        payloads = st.fixed_dictionaries({"kind": st.sampled_from(["seen", "heard"])})
    return [
        Fact(each, draw(st.sampled_from("abc")), draw(times), draw(times), draw(payloads))
        for each in ids
    ]


class Listed:
    """A log that is a list: what views need of one, in chunks of some size."""

    def __init__(self, facts: Sequence[Fact], chunk: int = 3, *, columns: bool = False) -> None:
        self.facts = facts
        self.chunk = chunk
        self.columns = columns
        self.scanned = 0

    def scan(
        self,
        from_offset: int = 0,
        to_offset: int | None = None,
        from_time: int | None = None,
        to_time: int | None = None,
    ) -> Iterator[Batch]:
        stop = len(self.facts) if to_offset is None else to_offset
        for at in range(from_offset, stop, self.chunk):
            part = self.facts[at : min(stop, at + self.chunk)]
            if self._of_interest(part, from_time, to_time):
                self.scanned += len(part)
                yield self._batch(part, at)

    def _of_interest(self, part: Sequence[Fact], least: int | None, bound: int | None) -> bool:
        """As a log decides it: whole chunks, by their bounds."""
        times = [fact.event_time for fact in part]
        return (least is None or max(times) >= least) and (bound is None or min(times) < bound)

    def _batch(self, part: Sequence[Fact], at: int) -> Batch:
        batch = facts_batch(part)
        offsets = np.arange(at, at + len(part))
        if not self.columns:
            return batch.with_columns(offset=offsets)
        names = sorted({name for fact in part for name in fact.payload})
        named = {
            f"payload.{name}": objects([fact.payload[name] for fact in part]) for name in names
        }
        return batch.drop("payload").with_columns({"offset": offsets, **named})
