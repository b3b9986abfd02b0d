"""The grammar of server-sent events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.errors import ProtocolError
from rxml.http import Event
from rxml.http.events import Events

LINE = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=8)


@given(
    sent=st.lists(st.tuples(st.lists(LINE, min_size=1, max_size=3), LINE, LINE), max_size=5),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    cuts=st.lists(st.integers(1, 9), max_size=30),
    mark=st.booleans(),
)
def test_events_do_not_depend_on_how_they_were_cut(
    sent: list[tuple[list[str], str, str]], end: str, cuts: list[int], mark: bool
) -> None:
    text = "\ufeff" if mark else ""
    for data, event, id_ in sent:
        fields = [f"event: {event}", f"id: {id_}", ":x", *[f"data: {line}" for line in data]]
        text += end.join([*fields, "", ""])
    raw = text.encode() + (b"\n" if end == "\r" else b"")
    parser = Events(10_000)
    found: list[Event] = []
    for cut in cuts:
        found += parser.feed(raw[:cut])
        raw = raw[cut:]
    found += parser.feed(raw)
    assert found == [Event("\n".join(data), event or "message", id_) for data, event, id_ in sent]


@pytest.mark.parametrize(
    ("raw", "events", "last"),
    [
        (b"data\n\n", [Event("")], ""),
        (b"data:x\n", [], ""),
        (b"id: 7\n\ndata: a\n\n", [Event("a", id="7")], "7"),
        (b"id: 7\n", [], ""),
        (b"id: a\0b\ndata: x\n\n", [Event("x")], ""),
        (b"event: e\n\ndata: x\n\n", [Event("x")], ""),
        (b"data:  x\nother: y\n\n", [Event(" x")], ""),
    ],
)
def test_the_grammar(raw: bytes, events: list[Event], last: str) -> None:
    parser = Events(100)
    assert (parser.feed(raw), parser.last) == (events, last)


def test_retry_is_digits_only() -> None:
    parser = Events(100)
    for raw, seconds in ((b"retry: x\n", None), (b"retry: 1500\n", 1.5), (b"retry: -1\n", 1.5)):
        parser.feed(raw)
        assert parser.retry == seconds


@pytest.mark.parametrize("raw", [b"data: " + b"x" * 200, b"data: " + b"x" * 60 + b"\ndata: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n"])  # fmt: skip
def test_an_event_has_a_bound(raw: bytes) -> None:
    with pytest.raises(ProtocolError, match="larger than 100"):
        Events(100).feed(raw)


def test_an_event_is_there_with_its_last_byte() -> None:
    parser = Events(100)
    assert parser.feed(b"data: x\r\r") == [Event("x")]
    assert parser.feed(b"\ndata: y\r\n\r") == [Event("y")]
    assert parser.feed(b"\n") == []


def test_a_mark_is_one_at_the_beginning_only_and_each_connection_has_one() -> None:
    parser = Events(100)
    for _ in range(2):
        assert parser.feed(b"\xef") == []
        assert parser.feed(b"\xbb\xbfdata: x\n\n") == [Event("x")]
        assert parser.feed(b"\xef\xbb\xbfdata: x\n\n") == []
        parser.restart()
