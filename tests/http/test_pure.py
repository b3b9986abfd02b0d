"""The parts without sockets: credit, frames, lines, decompression, and what waits for a slow client."""

from __future__ import annotations

import gzip
import json
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml import wire
from rxml.batch import Row
from rxml.errors import ProtocolError
from rxml.http.codec import Codec, items_of
from rxml.http.credit import Credit, Portion, Refill, checked
from rxml.http.encode import to_msgpack
from rxml.http.inflate import STEP, Inflater
from rxml.http.limits import Limits
from rxml.http.lines import Lines
from rxml.http.protocol import JSON, MOST, MSGPACK, NAMES, Next, RawNext
from rxml.http.replies import Refusal
from rxml.http.slow import Slow, TooSlowError, buffer, disconnect, drop_newest, drop_oldest, latest

DEMANDS = st.one_of(st.integers(-2, 5), st.integers(MOST - 3, MOST + 2))


@given(st.lists(st.tuples(st.sampled_from(["grant", "spend"]), DEMANDS)))
def test_credit_is_a_sum_that_never_goes_wrong(steps: list[tuple[str, int]]) -> None:
    credit, left, unbounded = Credit(), 0, False
    for kind, n in steps:
        if kind == "spend" and n < 0:
            continue
        bad = n > left if kind == "spend" else not (1 <= n <= MOST)
        bad = bad or (kind == "grant" and not unbounded and n != MOST and left + n > MOST)
        if bad:
            with pytest.raises(ProtocolError):
                getattr(credit, kind)(n)
        else:
            getattr(credit, kind)(n)
            unbounded = unbounded or (kind == "grant" and n == MOST)
            left = MOST if unbounded else left + (n if kind == "grant" else -n)
        assert (credit.left, credit.unbounded) == (left, unbounded)


@given(st.lists(st.tuples(st.integers(1, 3000), st.floats(0, 1)), max_size=40))
def test_what_is_under_way_is_never_more_than_was_ever_wanted(
    rounds: list[tuple[int, float]],
) -> None:
    refill, most = Refill(2**30), 0
    for wanted, share in rounds:
        most = max(most, wanted)
        n = refill.ask(wanted)
        assert n >= 0
        assert refill.credit.left <= most
        assert refill.credit.left >= 1
        came = int(share * refill.credit.left)
        refill.came(came, came * 10)


@given(st.integers(1, 32))
def test_exactly_what_is_wanted_is_asked_for_when_nothing_is_under_way(wanted: int) -> None:
    assert Refill(2**20).ask(wanted) == wanted


def test_demand_is_renewed_when_three_quarters_have_come() -> None:
    refill = Refill(2**20)
    assert refill.ask(20) == 20
    refill.came(14, 14)
    assert refill.ask(20) == 0
    refill.came(1, 1)
    assert refill.ask(20) == 15
    with pytest.raises(ProtocolError):
        refill.came(21, 21)


@given(st.lists(st.tuples(st.integers(1, 1024), st.integers(0, 10**6)), max_size=30))
def test_a_portion_is_at_least_one_element(sizes: list[tuple[int, int]]) -> None:
    portion = Portion(2**16)
    for count, size in sizes:
        portion.record(min(count, portion.most), size)
        assert 1 <= portion.most <= 1024


def test_a_portion_follows_the_size_of_elements() -> None:
    portion = Portion(2**16)
    assert portion.most == 1
    portion.record(1, 2**15)
    assert portion.most == 2
    portion.record(1, 1)
    assert portion.most <= 4  # a small one says little about the next
    for _ in range(100):
        portion.record(2, 64)
    assert portion.most == 1024 or portion.most > 500


@pytest.mark.parametrize("n", [0, -1, MOST + 1])
def test_demand_out_of_range_is_refused(n: int) -> None:
    with pytest.raises(ProtocolError, match=str(n)):
        checked(n)


WIRE = Limits().wire(2**18)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(st.sampled_from(NAMES), st.lists(VALUES, min_size=1, max_size=20), st.integers(0, 2**40))
def test_elements_travel_in_frames(protocol: str, items: list[Any], seq: int) -> None:
    codec = Codec(protocol, WIRE)
    data = codec.next(7, seq, items)
    frame = codec.from_server(data, text=codec.text)
    assert isinstance(frame, Next | RawNext)
    got = [json.loads(bytes(item)) if codec.text else item for item in items_of(frame)]
    assert (frame.id, frame.seq, got) == (7, seq, items)


@pytest.mark.parametrize("count", [15, 16, 65_535, 65_536])
def test_large_frames_have_the_right_head(count: int) -> None:
    codec = Codec(MSGPACK, Limits(items=10**6).wire(2**24))
    frame = codec.from_server(codec.next(1, 0, [1] * count), text=False)
    assert len(items_of(frame)) == count


@dataclass
class Point:
    at: Any
    name: UUID


def test_msgpack_keeps_arrays_in_records_and_names_the_rest() -> None:
    number = UUID(int=5)
    value = {"point": Point((np.arange(2), Row({"x": 0}, (1,))), number), "set": {3}}
    got = wire.loads(to_msgpack(value))
    array, row = got["point"].pop("at")
    assert (array.tolist(), row) == ([0, 1], {"x": 1})
    assert got == {"point": {"name": str(number)}, "set": [3]}


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode) | VALUES.map(wire.dumps))
def test_junk_is_a_protocol_error_and_nothing_else(data: bytes) -> None:
    for codec in (Codec(JSON, WIRE), Codec(MSGPACK, WIRE)):
        for decode in (codec.from_client, codec.from_server):
            with pytest.raises(ProtocolError):
                decode(data, text=codec.text)


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line)), st.data())
def test_lines_do_not_depend_on_how_the_bytes_came(lines: list[bytes], data: st.DataObject) -> None:
    text = b"\n".join(lines)
    cutter, got, at = Lines(20), list[bytes](), 0
    while at < len(text):
        step = data.draw(st.integers(1, 30))
        got += cutter.feed(text[at : at + step])
        at += step
    got += cutter.finish()
    assert got == [line for line in lines if line.strip()]


@pytest.mark.parametrize(
    "parts", [[b"x" * 11], [b"x" * 6] * 2, [b"x" * 11 + b"\n"], [b"a\n" + b"x" * 11]]
)
def test_a_line_that_is_too_long_is_refused_however_it_comes(parts: list[bytes]) -> None:
    cutter = Lines(10)
    with pytest.raises(Refusal, match="longer than 10 bytes"):
        _ = [cutter.feed(part) for part in parts]


SIZES = st.one_of(
    st.integers(0, 300), st.sampled_from([STEP - 1, STEP, STEP + 1, 3 * STEP, 3 * STEP + 7])
)


@given(
    st.lists(SIZES, min_size=1, max_size=3),
    st.sampled_from(["gzip", "deflate", "raw"]),
    st.integers(1, 5000),
    st.integers(0, 1),
)
def test_decompression_gives_back_what_was_compressed(
    sizes: list[int], coding: str, step: int, fill: int
) -> None:
    members = [bytes((i * i * fill) % 251 for i in range(size)) for size in sizes]
    if coding == "gzip":
        packed = b"".join(map(gzip.compress, members))
    else:
        packer = zlib.compressobj(wbits=15 if coding == "deflate" else -15)
        packed = packer.compress(b"".join(members)) + packer.flush()
    inflater = Inflater("gzip" if coding == "gzip" else "deflate", 10**6)
    got = b""
    for at in range(0, len(packed), step):
        inflater.feed(packed[at : at + step])
        while part := inflater.read():
            assert len(part) <= STEP
            got += part
    inflater.finish()
    assert got == b"".join(members)


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate"]))
def test_junk_does_not_decompress(data: bytes, coding: str) -> None:
    inflater = Inflater(coding, 100)
    inflater.feed(data)
    with suppress(Refusal):
        while inflater.read():
            pass
        inflater.finish()


def test_there_are_only_so_many_members() -> None:
    inflater = Inflater("gzip", 100)
    inflater.feed(gzip.compress(b"") * 2000)
    with pytest.raises(Refusal, match="members"):
        inflater.read()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), st.integers(1, 9)),
        st.tuples(st.just("take"), st.integers(1, 5)),
        st.just(("late", 0)),
        st.just(("caught up", 0)),
    )
)


@pytest.mark.parametrize("slow", [latest(5), buffer(5), drop_oldest(5), drop_newest(5)])
@given(steps=STEPS, keys=st.integers(1, 4))
def test_what_is_offered_is_taken_or_counted(
    slow: Slow, steps: list[tuple[str, int]], keys: int
) -> None:
    def key(i: int) -> int:
        return i % keys

    pending = slow.pending(key)
    offered, gaps, taken = 0, 0, list[int]()
    for kind, n in [*steps, ("take", 10**6)]:
        if kind == "offer":
            count = n if pending.late else min(n, pending.room)
            pending.offer(range(offered, offered + count))
            offered += count
        elif kind == "take":
            gap, got = pending.take(n)
            gaps += gap
            taken += got
        elif kind == "late":
            pending.give_up()
        else:
            pending.caught_up()
        assert len(pending) <= 5
    assert taken == sorted(taken)
    assert len(taken) + gaps == offered
    if slow.policy == "wait":
        assert gaps == 0


def third(i: int) -> int:
    return i % 3


def test_the_latest_of_each_key_is_what_is_left() -> None:
    pending = latest(100).pending(third)
    pending.give_up()
    pending.offer(range(10))
    assert pending.take(10) == (7, [7, 8, 9])
    pending = latest(2).pending(third)
    pending.give_up()
    pending.offer(range(10))
    assert pending.take(10) == (8, [8, 9])
    pending = latest().pending(None)
    pending.offer(range(4))
    assert pending.room == 0  # nothing more is taken from the flow while something waits
    pending.give_up()
    assert pending.take(10) == (3, [3])


def test_whoever_is_too_slow_for_disconnect_is_told_so() -> None:
    pending = disconnect(5).pending(None)
    pending.offer(range(5))
    assert pending.room == 0
    with pytest.raises(TooSlowError):
        pending.give_up()
