"""Law cases of `rxml.operators.expansion`."""

from __future__ import annotations

from itertools import chain

import hypothesis.strategies as st

from rxml import operators as ops
from rxml.flow.chunk import CHUNK
from tests.laws.case import Case

LISTS = st.one_of(
    st.lists(st.integers(-5, 5), max_size=4),
    st.tuples(st.integers()),
    st.just(()),
    st.integers(0, 0),
)

CASES = {
    "unbatch": Case(ops.unbatch, chain.from_iterable, LISTS, options={"ahead": CHUNK}),
}
