from __future__ import annotations

import mmap
from typing import Any

import hypothesis.strategies as st
import msgspec
import numpy as np
import pytest
from hypothesis import given

from rxml.batch import Batch
from rxml.engines.elastic import Elastic
from rxml.engines.frames import HEAD, MOST, Columns, Kind, Placed, frame, head, packed, unpacked
from rxml.errors import ProtocolError

SIZE = 4096


def memory() -> mmap.mmap:
    return mmap.mmap(-1, SIZE)


COLUMN = st.one_of(
    st.lists(st.floats(width=32), min_size=3, max_size=3).map(lambda xs: np.array(xs, "f4")),
    st.lists(st.integers(-9, 9), min_size=3, max_size=3).map(np.array),
    st.lists(st.text(max_size=5), min_size=3, max_size=3).map(lambda xs: np.array(xs, object)),
    st.just(np.zeros((3, 400))),
    st.just(np.zeros((3, 0))),
    st.just(np.array(["2020-01-01", "2021-01-01", "NaT"], "datetime64[ns]")),
)


@given(st.dictionaries(st.text(max_size=4), COLUMN, max_size=5), st.floats(0, 10))
def test_a_batch_comes_back_as_it_was(columns: dict[str, Any], seconds: float) -> None:
    batch = Batch(columns)
    with memory() as shared:
        body = msgspec.msgpack.encode(packed(batch, shared, seconds))
        got, took = unpacked(body, shared, copy=True)
    assert got == batch
    assert got.names == batch.names
    assert took == seconds


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_batch_or_an_error_of_ours(body: bytes) -> None:
    with memory() as shared:
        try:
            unpacked(body, shared, copy=True)
        except ProtocolError:
            return


NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 10)


@given(
    st.lists(
        st.builds(
            Placed,
            st.sampled_from("xy"),
            st.sampled_from(["<f8", "|O", "<i4", "V100000", "nonsense", "<U9"]),
            st.lists(NUMBERS, max_size=3),
            NUMBERS,
        ),
        max_size=3,
    ),
    NUMBERS,
)
def test_no_claim_reaches_outside_the_shared_memory(placed: list[Placed], rows: int) -> None:
    told = Columns([each.name for each in placed], rows, placed, b"")
    with memory() as shared:
        try:
            batch, _ = unpacked(msgspec.msgpack.encode(told), shared, copy=True)
        except ProtocolError:
            return
        assert batch.nbytes <= SIZE * max(1, len(placed))


@given(st.binary(min_size=HEAD.size, max_size=HEAD.size))
def test_a_head_is_ours_or_refused(data: bytes) -> None:
    try:
        kind, size = head(data)
    except ProtocolError:
        return
    assert kind in Kind
    assert size <= MOST


def test_what_does_not_fit_into_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer rows"):
        frame(Kind.SCORE, Columns([], 0, [], bytes(MOST + 1)))


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.5), st.booleans()), max_size=80))
def test_there_are_never_fewer_or_more_than_may_be_and_they_do_not_flap(
    steps: list[tuple[float, float, bool]],
) -> None:
    elastic = Elastic(least=1, most=4, target=0.1, shrink_after=5.0)
    count, now, last = 1, 0.0, -5.0
    for oldest, passed, idle in steps:
        now += passed
        if elastic.grows(oldest, count, now):
            count += 1
            last = now
            assert oldest > 0.1
        elif idle and elastic.shrinks(count, 1, now):
            count -= 1
            assert now - last >= 5.0
            last = now
        assert 1 <= count <= 4
