"""A line of JSON holds a fact exactly."""

from __future__ import annotations

import json
from math import isnan
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rxml.errors import FactError
from rxml.facts.fact import Fact
from rxml.facts.lines import fact_of, line_of, payload_of, payload_text
from tests.unit.facts_views.facts import NAMES, PAYLOADS

INT64 = st.integers(-(2**63), 2**63 - 1)


@given(INT64, INT64, PAYLOADS, st.tuples(st.floats(-9, 0), st.floats(0, 9)) | st.just((None, None)))
def test_a_fact_comes_back_from_its_line(
    happened: int, arrived: int, payload: dict[str, Any], bounds: tuple[float | None, float | None]
) -> None:
    fact = Fact("é1", "lion\n7", happened, arrived, payload, *bounds)
    line = line_of(fact)
    assert b"\n" not in line
    assert json.loads(line)["key"] == fact.key
    back = fact_of(line)
    assert repr(back) == repr(fact)  # NaN differs from itself, and 1 does not from True
    assert line_of(back) == line


def test_what_json_has_no_form_for_is_told_apart_from_what_looks_like_it() -> None:
    payload = {
        "b": b"\0\1",
        "nan": float("nan"),
        "looks": {"$bytes": "AAE="},
        "two": {"$map": 1, "x": 2},
    }
    text = payload_text(payload)
    assert json.loads(text)["b"] == {"$bytes": "AAE="}
    assert json.loads(text)["looks"] == {"$map": {"$bytes": "AAE="}}
    back = payload_of(text)
    assert isnan(back.pop("nan"))
    assert back == {"b": b"\0\1", "looks": {"$bytes": "AAE="}, "two": {"$map": 1, "x": 2}}


def test_a_line_written_by_hand_needs_a_key_and_a_time() -> None:
    fact = fact_of(b'{"key":"a","event_time":"2026-01-02T00:00:00Z","payload":{"x":1}}')
    assert fact.event_time == 1767312000000000000
    assert len(fact.id) == 32
    assert fact.arrival_time > fact.event_time - 10**18
    assert fact_of(b'{"key":"a","event_time":1,"arrival_time":2,"id":"x"}') == Fact("x", "a", 1, 2)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"", "no fact"),
        (b"{", "no fact"),
        (b"[1]", "Expected `object`"),
        (b"\xff", "no fact"),
        (b'{"event_time":1}', "missing required field `key`"),
        (b'{"key":"a"}', "missing required field `event_time`"),
        (b'{"key":"a","event_time":1.5}', "event_time"),
        (b'{"key":"a","event_time":1,"colour":2}', "colour"),
        (b'{"key":"a","event_time":"2026-01-02T00:00:00"}', "time zone"),
        (b'{"key":"a","event_time":1,"lower":2,"upper":1}', "above upper"),
        (b'{"key":"a","event_time":1,"lower":2}', "upper is None"),
        (b'{"key":"a","event_time":%d}' % 2**63, "64 bits"),
        (b'{"key":"","event_time":1}', "key has 0 characters"),
        (b'{"key":"a","event_time":1,"payload":{"x":{"$bytes":"?"}}}', "$bytes has '?'"),
        (b'{"key":"a","event_time":1,"payload":{"x":{"$map":3}}}', "$map has 3"),
        (b'{"key":"a","event_time":1,"payload":{"x":{"$float":"1"}}}', "$float has '1'"),
        (
            b'{"key":"a","event_time":1,"payload":{"x":' + b"[" * 9999 + b"]" * 9999 + b"}}",
            "no fact",
        ),
        (b'{"key":"a","event_time":1,"payload":{"x":' + b"[" * 99 + b"]" * 99 + b"}}", "deep"),
    ],
)
def test_a_line_that_is_no_fact_says_why(line: bytes, said: str) -> None:
    with pytest.raises(FactError) as refused:
        fact_of(line)
    assert said in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x":{"$datetime":1}}'])
def test_a_text_that_is_no_payload_says_why(text: str) -> None:
    with pytest.raises(FactError):
        payload_of(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["id", "key", "event_time", "arrival_time", "lower", "upper", "payload", "more"]
)


@given(
    st.binary(max_size=40)
    | st.dictionaries(FIELDS, JSON).map(lambda each: json.dumps(each).encode())
)
def test_whatever_a_line_holds_it_is_a_fact_or_says_why_not(line: bytes) -> None:
    try:
        fact = fact_of(line)
    except FactError:  # nothing else comes out
        return
    assert repr(fact_of(line_of(fact))) == repr(fact)
