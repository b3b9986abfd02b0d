"""Parts are merged into the order in which their rows were numbered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from rxml.batch import Batch
from rxml.facts.merging import in_sequence

if TYPE_CHECKING:
    from collections.abc import Iterator


def cut(numbers: list[int], size: int) -> Iterator[Batch]:
    for at in range(0, len(numbers), size):
        part = np.array(numbers[at : at + size], np.int64)
        yield Batch({"sequence": part, "double": 2 * part})
        yield Batch({"sequence": part[:0], "double": part[:0]})


@given(
    st.lists(st.integers(0, 4), max_size=60), st.lists(st.integers(1, 9), min_size=5, max_size=5)
)
def test_rows_come_in_the_order_of_their_numbers(places: list[int], sizes: list[int]) -> None:
    parts = [
        cut([3 * at for at, where in enumerate(places) if where == part], sizes[part])
        for part in range(5)
    ]
    merged = list(in_sequence(parts))
    rows = [(row["sequence"], row["double"]) for batch in merged for row in batch]
    assert rows == [(3 * at, 6 * at) for at in range(len(places))]
    assert all(len(batch) for batch in merged)


def test_no_part_is_read_further_than_the_others_need() -> None:
    read = [0, 0]

    def part(which: int) -> Iterator[Batch]:
        for at in range(10):
            read[which] += 1
            yield Batch({"sequence": np.array([2 * at + which])})

    merged = in_sequence([part(0), part(1)])
    for _ in range(4):
        next(merged)
    assert max(read) <= 4
