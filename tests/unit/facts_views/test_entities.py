"""Entities are what the facts before the cut-off make of them, in whatever order those arrived."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rxml.errors import FactError
from rxml.facts.entities import EVENTS, Entity, entities_of, entity_of
from rxml.facts.fact import Fact, nanoseconds_of
from rxml.facts.views import View
from tests.unit.facts_views.facts import Listed, drawn_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

# The worked example of PredictionIO's "Events Modeling": user 2, five events on five days.
STORY: list[tuple[str, str, dict[str, Any] | None]] = [
    ("2014-09-09T16:17:42.937-08:00", "$set", {"a": 3, "b": 4}),
    ("2014-09-10T13:12:04.937-08:00", "$set", {"b": 5, "c": 6}),
    ("2014-09-11T14:17:42.456-08:00", "$unset", {"b": None}),
    ("2014-09-12T16:13:41.452-08:00", "$delete", None),
    ("2014-09-13T16:17:42.143-08:00", "$set", None),
]
AFTER: list[dict[str, Any] | None] = [
    {"a": 3, "b": 4},
    {"a": 3, "b": 5, "c": 6},
    {"a": 3, "c": 6},
    None,
    {},
]


def at(text: str) -> int:
    return nanoseconds_of(datetime.fromisoformat(text), "at")


def told(story: Sequence[tuple[str, str, dict[str, Any] | None]]) -> list[Fact]:
    return [
        Fact(
            f"{number}",
            "2",
            at(moment),
            at(moment),
            {"event": event} if properties is None else {"event": event, "properties": properties},
        )
        for number, (moment, event, properties) in enumerate(story)
    ]


CUTS = [at(moment) for moment, _, _ in STORY]


@pytest.mark.parametrize("order", [1, -1])
def test_the_story_of_predictionio(order: int) -> None:
    view = View(Listed(told(STORY)[::order], chunk=2))
    assert entities_of(view, until=CUTS[0]) == {}  # the cut-off itself is not counted
    for number, properties in enumerate(AFTER):
        found = entity_of(view, "2", until=CUTS[number] + 1)
        wanted = None
        if properties is not None:
            wanted = Entity("2", properties, CUTS[0], CUTS[number])
        assert found == wanted
    midnight = datetime.fromisoformat("2014-09-11T00:00:00-08:00")
    assert entities_of(view, until=midnight) == {"2": Entity("2", AFTER[1] or {}, CUTS[0], CUTS[1])}


def test_what_was_known_then_is_another_question() -> None:
    facts = [
        Fact("1", "2", 10, 10, {"event": "$set", "properties": {"a": 1}}),
        Fact("2", "2", 11, 99, {"event": "$set", "properties": {"a": 2}}),
    ]
    view = View(Listed(facts))
    assert entities_of(view)["2"].properties == {"a": 2}
    assert entities_of(view.known_at(50))["2"].properties == {"a": 1}
    assert entity_of(view, "3") is None


CHANGES = st.fixed_dictionaries(
    {
        "event": st.sampled_from([*sorted(EVENTS), "view"]),
        "properties": st.dictionaries(
            st.sampled_from("xyz"), st.integers(0, 9), min_size=1, max_size=3
        ),
    }
)


def folded(facts: list[Fact], until: int) -> dict[str, dict[str, Any]]:
    """As PredictionIO folds: sorted, one after the other."""
    state: dict[str, dict[str, Any]] = {}
    counted = [fact for fact in facts if fact.event_time < until]
    for fact in sorted(counted, key=lambda fact: (fact.event_time, fact.id)):
        event, properties = fact.payload["event"], fact.payload["properties"]
        if event == "$set":
            state.setdefault(fact.key, {}).update(properties)
        elif event == "$delete":
            state.pop(fact.key, None)
        elif event == "$unset" and fact.key in state:
            for name in properties:
                state[fact.key].pop(name, None)
    return state


@given(st.data(), drawn_facts(CHANGES), st.integers(1, 50), st.integers(0, 10))
def test_entities_are_folded_by_event_time_in_any_order_of_arrival(
    data: st.DataObject, facts: list[Fact], chunk: int, until: int
) -> None:
    found = entities_of(View(Listed(facts)), until)
    assert {key: dict(each.properties) for key, each in found.items()} == folded(facts, until)
    shuffled = data.draw(st.permutations(facts))
    again = entities_of(View(Listed(shuffled, chunk)), until)
    assert repr(again) == repr(found)  # to the order of the names


@given(drawn_facts(CHANGES))
def test_the_first_and_the_last_change_are_told(facts: list[Fact]) -> None:
    for key, found in entities_of(View(Listed(facts))).items():
        times = [f.event_time for f in facts if f.key == key and f.payload["event"] in EVENTS]
        assert (found.first_updated, found.last_updated) == (min(times), max(times))


def test_properties_cannot_be_written_to() -> None:
    found = entities_of(View(Listed(told(STORY)[:1])))["2"]
    with pytest.raises(TypeError):
        found.properties["a"] = 4  # type: ignore[index]  # pyright: ignore[reportIndexIssue]


@pytest.mark.parametrize(
    "payload",
    [
        {"event": "$unset"},
        {"event": "$unset", "properties": {}},
        {"event": "$set", "properties": [1]},
    ],
)
def test_a_change_that_does_not_say_what_is_told_and_hides_no_other_entity(
    payload: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    fine = {"event": "$set", "properties": {"a": 1}}
    view = View(Listed([Fact("f1", "lion", 1, 1, payload), Fact("f2", "zebra", 1, 1, fine)]))
    problems: list[FactError] = []
    assert list(entities_of(view, on_problem=problems.append)) == ["zebra"]
    assert not caplog.records
    assert list(entities_of(view)) == ["zebra"]
    assert [record.getMessage() for record in caplog.records] == list(map(str, problems))
    assert entity_of(view, "zebra") is not None
    with pytest.raises(FactError, match=r"fact f1 of 'lion'.*wanted a mapping"):
        entity_of(view, "lion")


def test_facts_with_other_events_change_nothing() -> None:
    payloads: list[dict[str, Any]] = [{"event": "view"}, {"event": 3}, {"event": ["$set"]}, {}]
    facts = [Fact(f"{at}", "lion", at, at, each) for at, each in enumerate(payloads)]
    assert entities_of(View(Listed(facts))) == {}
