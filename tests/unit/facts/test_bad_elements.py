"""One bad element is rejected with the reason, whatever is wrong with it, and in whatever chunk it comes."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typing_extensions import override

import rxml
from rxml.batch import Batch
from rxml.facts import Fact, FactLog, facts_of
from rxml.testing import virtual_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FAR_EAST = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))


class Kind(StrEnum):
    LION = "lion"


class Level(IntEnum):
    HIGH = 3


@pytest.fixture
def log(tmp_path: Path) -> Iterator[FactLog]:
    with FactLog(tmp_path / "facts.db") as opened:
        yield opened


def missing_time() -> Any:
    return pytest.importorskip("pandas").NaT


def scanned(log: FactLog) -> list[Fact]:
    return [fact for batch in log.scan() for fact in facts_of(batch)]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({1: 2}, "a fact has no 1: names are str"),
        ({"lower": 10**400, "upper": 1.0}, "of 401 digits is no float"),
        ({"payload": {"at": FAR_EAST}}, "which is no moment"),
        ({"payload": {"at": [FAR_EAST]}}, "which is no moment"),
        ({"event_time": FAR_EAST}, "must fit 64 bits"),
    ],
)
def test_a_bad_mapping_is_rejected_and_its_neighbours_are_stored(
    log: FactLog, bad: dict[Any, Any], says: str
) -> None:
    fine = {"key": "k", "event_time": 1}
    flow = rxml.from_iterable([fine, {**fine, **bad}, fine]).pipe(log.append())
    outcomes = virtual_time.run(flow.to_list())
    assert [each.status for each in outcomes] == ["stored", "rejected", "stored"]
    assert says in (outcomes[1].reason or "")


def test_what_an_element_itself_raises_is_its_reason(log: FactLog) -> None:
    class Broken(dict[str, Any]):
        @override
        def __getattribute__(self, name: str) -> Any:
            if name == "keys":
                raise AttributeError(name)
            return super().__getattribute__(name)

    outcomes = log.append_facts([Broken(), {"key": "k", "event_time": 1}])
    assert [each.status for each in outcomes] == ["rejected", "stored"]


@pytest.mark.parametrize("field", ["event_time", "arrival_time", "payload.at"])
def test_a_missing_time_of_pandas_is_rejected(log: FactLog, field: str) -> None:
    fine = {"key": "k", "event_time": 1}
    outcomes = log.append_facts([{**fine, field: missing_time()}, fine])
    assert [each.status for each in outcomes] == ["rejected", "stored"]
    assert "NaT" in (outcomes[0].reason or "")


def test_subclasses_of_plain_values_are_what_they_stand_for(log: FactLog) -> None:
    pandas = pytest.importorskip("pandas")
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    payload = {
        Kind.LION: Kind.LION,
        "at": pandas.Timestamp(moment).tz_convert("Europe/Rome"),
        "level": Level.HIGH,
        "wide": np.float64(0.5),
        "text": [np.str_("é")],
    }
    facts = [
        {"id": Kind.LION, "key": np.str_("b"), "event_time": 1, "payload": payload},
        {"id": np.str_("c"), "key": Kind.LION, "event_time": 2},
    ]
    assert log.append_facts(facts).stored == 2
    ids = np.array([Kind.LION, "d"], object)
    outcomes = log.append_batch(Batch({"id": ids, "key": ids, "event_time": [1, 2]}))
    assert [each.status for each in outcomes] == ["duplicate", "stored"]
    found = scanned(log)
    assert [fact.id for fact in found] == ["lion", "c", "d"]
    assert {type(fact.id) for fact in found} == {type(fact.key) for fact in found} == {str}
    wanted = {"lion": "lion", "at": moment, "level": 3, "wide": 0.5, "text": ("é",)}
    assert found[0].payload == wanted
    assert type(Fact.of("k", 1, payload).payload["at"]) is datetime


@pytest.mark.parametrize("name", ["event_time", "arrival_time"])
def test_moments_beyond_what_nanoseconds_reach_are_rejected(log: FactLog, name: str) -> None:
    times = np.array(["2500-01-01", "2026-01-01", "1600-01-01"], "M8[s]")
    columns: dict[str, Any] = {"key": ["a", "b", "c"], "event_time": np.arange(3), name: times}
    outcomes = log.append_batch(Batch(columns))
    assert [each.status for each in outcomes] == ["rejected", "stored", "rejected"]
    assert "2500-01-01T00:00:00: int64 nanoseconds reach" in (outcomes[0].reason or "")


@pytest.mark.parametrize("size", [1, 2, 5])
def test_outcomes_of_columns_do_not_depend_on_chunks(log: FactLog, size: int) -> None:
    values = np.array(["a", 2, {3}, None, "\ud800"], object)
    whole = Batch(
        {
            "key": ["k"] * 5,
            "event_time": np.arange(5),
            "payload.x": values,
            "payload.n": np.arange(5),
        }
    )
    batches = [whole[at : at + size] for at in range(0, 5, size)]
    outcomes = virtual_time.run(rxml.from_batches(batches).pipe(log.append()).to_list())
    assert [each.offset for each in outcomes] == [0, 1, None, 2, None]
    assert "payload['x'] is {3}, a set" in (outcomes[2].reason or "")
    assert [fact.payload for fact in scanned(log)] == [
        {"x": "a", "n": 0},
        {"x": 2, "n": 1},
        {"x": None, "n": 3},
    ]


def test_a_fact_has_a_hash_and_can_be_copied_and_pickled() -> None:
    fact = Fact.of("k", 1, {"a": {"b": [1, {"c": 2}]}}, id="i", arrival_time=2)
    for again in (pickle.loads(pickle.dumps(fact)), copy.deepcopy(fact)):
        assert again == fact
        assert hash(again) == hash(fact)
        payload: Any = again.payload["a"]
        for change in (payload.clear, payload.popitem, lambda: payload.update(b=1)):  # noqa: B023
            with pytest.raises(TypeError, match="cannot be changed"):
                change()
