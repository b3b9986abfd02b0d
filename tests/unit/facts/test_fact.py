"""Facts are what they say, and never change."""

from __future__ import annotations

import time
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rxml import wire
from rxml.errors import FactError
from rxml.facts import Fact, derived_id, facts_batch, facts_of, new_id, new_ids, packed
from tests.unit.facts.drawn import facts

NOW = 1_767_312_000_000_000_000


@given(facts())
def test_a_fact_is_the_same_behind_the_wire_and_behind_columns(fact: Fact) -> None:
    assert wire.loads(wire.dumps(fact)) == fact
    assert facts_of(facts_batch([fact])) == [fact]


def test_what_a_fact_is_made_of_cannot_be_changed() -> None:
    given_payload: dict[str, Any] = {"tags": ["a"], "at": {"x": 1}}
    fact = Fact.of("k", NOW, given_payload)
    with pytest.raises(FrozenInstanceError):
        setattr(fact, "key", "other")  # noqa: B010 - type checkers know better
    payload: Any = fact.payload
    with pytest.raises(TypeError):
        payload["tags"] = []
    with pytest.raises(TypeError):
        payload["at"]["x"] = 2
    given_payload["tags"].append("b")
    assert fact.payload["tags"] == ("a",)


@pytest.mark.parametrize(
    ("given_fields", "says"),
    [
        ({"lower": 2.0, "upper": 1.0}, "lower 2.0 is above upper 1.0"),
        ({"lower": 1.0}, "upper is None"),
        ({"lower": 1.0, "upper": float("inf")}, "upper is inf"),
        ({"lower": float("nan"), "upper": 1.0}, "lower is nan"),
        ({"key": ""}, "key has 0 characters"),
        ({"key": 7}, "key is 7, a int"),
        ({"id": "x" * 256}, "id has 256 characters"),
        ({"id": "a\0b"}, "NUL"),
        ({"key": "\ud800"}, "lone surrogate"),
        ({"event_time": 1.5e9}, "whole nanoseconds"),
        ({"event_time": True}, "a bool"),
        ({"event_time": 2**63}, "must fit 64 bits"),
        ({"event_time": datetime(2026, 1, 1)}, "without a time zone"),  # noqa: DTZ001
        ({"event_time": NOW // 10**9}, "would be in seconds"),
        ({"event_time": NOW // 10**6}, "would be in milliseconds"),
        ({"payload": [1]}, "give a mapping"),
        ({"payload": {1: 2}}, "names are str"),
        ({"payload": {"x": {1, 2}}}, "payload['x'] is {1, 2}, a set"),
        ({"payload": {"x": 2**64}}, "-2^63 to 2^64 - 1"),
        ({"payload": {"x": datetime(2026, 1, 1)}}, "aware datetimes"),  # noqa: DTZ001
        ({"payload": {"x": ["\ud800"]}}, "lone surrogate"),
    ],
)
def test_what_is_no_fact_is_refused_with_the_reason(
    given_fields: dict[str, Any], says: str
) -> None:
    fields: dict[str, Any] = {"key": "k", "event_time": NOW, "arrival_time": NOW, **given_fields}
    with pytest.raises(FactError) as caught:
        Fact.of(**fields)
    assert says in str(caught.value)


def test_a_payload_has_a_bottom() -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    with pytest.raises(FactError, match="nested more than 32 deep"):
        Fact.of("k", NOW, {"x": deep})


def test_aware_datetimes_are_nanoseconds_in_utc() -> None:
    east = datetime(2026, 1, 2, 2, 0, 0, 7, tzinfo=timezone(timedelta(hours=2)))
    assert Fact.of("k", east, arrival_time=NOW).event_time == NOW + 7000
    assert Fact.of("k", datetime(1969, 12, 31, tzinfo=UTC)).event_time == -86_400 * 10**9


def test_ids_made_in_one_moment_differ_and_sort_by_time() -> None:
    assert len({new_id() for _ in range(1000)} | set(new_ids(1000))) == 2000
    before = new_id()
    began = time.time_ns()
    while time.time_ns() < began + 2000:
        pass
    assert before < new_id()


@given(st.text(max_size=5), st.lists(st.text(max_size=5), max_size=3), st.text(max_size=5))
def test_derived_ids_are_the_same_for_the_same_and_differ_for_others(
    name: str, parents: list[str], other: str
) -> None:
    made = derived_id(name, *parents)
    assert made == derived_id(name, *parents)
    assert len(made) == 32
    assert int(made, 16) >= 0
    assert derived_id(name, *parents, other) != made
    assert (derived_id(other, *parents) == made) is (other == name)


def test_a_derived_id_takes_the_time_of_its_youngest_parent() -> None:
    older, younger = "0" * 13 + "1" + "a" * 18, "0" * 13 + "2" + "b" * 18
    assert derived_id("f", younger, older)[:14] == younger[:14]


def test_columns_become_one_payload_when_they_are_to_be_put_together() -> None:
    one = facts_batch([Fact.of("k", 1, {"x": 1.5}, arrival_time=2, id="a")])
    columns = one.drop("payload").with_columns({"payload.x": [1.5]})
    assert packed(columns) == one
    assert packed(one) is one
    with pytest.raises(FactError, match="both are there"):
        facts_of(one.with_columns({"payload.x": [1.5]}))
    with pytest.raises(FactError, match=r"\['lower'\] are missing"):
        facts_of(one.drop("lower"))
