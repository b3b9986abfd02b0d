"""Views answer as a loop over a list does, whatever the chunks and the order of arrival."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from rxml.batch import Batch
from rxml.errors import FactError
from rxml.facts import recent
from rxml.facts.fact import Fact
from rxml.facts.log import FactLog
from rxml.facts.views import View
from rxml.testing.virtual_time import run
from tests.unit.facts_views.facts import Listed, drawn_facts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FACTS = drawn_facts()
CHUNKS = st.integers(1, 50)
TIMES = st.integers(-1, 10)


def newest(facts: Sequence[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: (fact.event_time, fact.id), reverse=True)


def newest_of_each(facts: Sequence[Fact]) -> list[Fact]:
    found = {fact.key: fact for fact in reversed(newest(facts))}
    return [found[key] for key in sorted(found)]


@given(FACTS, CHUNKS, st.integers(1, 12), st.booleans())
def test_the_last_ten_and_the_tenth_are_those_of_a_sorted_list(
    facts: list[Fact], chunk: int, n: int, columns: bool
) -> None:
    view = View(Listed(facts, chunk, columns=columns))
    assert view.last(n).facts() == newest(facts)[:n]
    assert view.nth(n).facts() == newest(facts)[n - 1 : n]
    assert view.last(n).skip(n - 1).limit(1).facts() == view.nth(n).facts()
    assert view.key("a").last(n).facts() == newest([f for f in facts if f.key == "a"])[:n]


@given(FACTS, CHUNKS, TIMES, TIMES)
def test_ranges_are_half_open(facts: list[Fact], chunk: int, from_: int, until: int) -> None:
    view = View(Listed(facts, chunk))
    assert view.between(from_, until).facts() == [
        fact for fact in facts if from_ <= fact.event_time < until
    ]
    assert view.between(from_).arrived(until=until).facts() == [
        fact for fact in facts if from_ <= fact.event_time and fact.arrival_time < until
    ]
    assert view.known_at(until).facts() == [fact for fact in facts if fact.arrival_time <= until]


@given(FACTS, CHUNKS, TIMES, TIMES)
def test_as_of_is_what_was_known_then(
    facts: list[Fact], chunk: int, event_time: int, known_at: int
) -> None:
    view = View(Listed(facts, chunk))
    known = [f for f in facts if f.event_time <= event_time and f.arrival_time <= known_at]
    assert view.as_of(event_time, known_at).facts() == newest_of_each(known)
    happened = [fact for fact in facts if fact.event_time <= event_time]
    assert view.as_of(event_time).facts() == newest_of_each(happened)


@given(st.data(), FACTS, CHUNKS, TIMES, TIMES)
def test_the_order_of_arrival_changes_no_state(
    data: st.DataObject, facts: list[Fact], chunk: int, event_time: int, known_at: int
) -> None:
    shuffled = data.draw(st.permutations(facts))
    one, other = View(Listed(facts, 3)), View(Listed(shuffled, chunk))
    assert one.as_of(event_time, known_at).facts() == other.as_of(event_time, known_at).facts()
    assert one.latest().facts() == other.latest().facts()
    assert one.last(5).facts() == other.last(5).facts()


@given(FACTS, CHUNKS, st.booleans(), st.integers(0, 9), st.integers(0, 9))
def test_filters_pages_and_counts(
    facts: list[Fact], chunk: int, columns: bool, skip: int, limit: int
) -> None:
    view = View(Listed(facts, chunk, columns=columns))
    seen = [fact for fact in facts if fact.payload["kind"] == "seen"]
    assert view.where(kind="seen").facts() == seen
    assert view.where(kind="seen", other=1).facts() == []
    assert view.filter(lambda fact: fact.payload["kind"] == "seen").facts() == seen
    assert view.rows(lambda batch: np.arange(len(batch)) < 0).count() == 0
    assert view.skip(skip).limit(limit).facts() == facts[skip : skip + limit]
    assert view.key("a", "b").count() == sum(fact.key in "ab" for fact in facts)
    assert view.latest("a", "c").facts() == newest_of_each([f for f in facts if f.key in "ac"])


@given(FACTS, CHUNKS, TIMES)
def test_steps_apply_in_the_order_in_which_they_are_written(
    facts: list[Fact], chunk: int, time: int
) -> None:
    view = View(Listed(facts, chunk))
    assert view.last(5).between(time).facts() == [
        fact for fact in newest(facts)[:5] if fact.event_time >= time
    ]
    assert view.latest().where(kind="seen").facts() == [
        fact for fact in newest_of_each(facts) if fact.payload["kind"] == "seen"
    ]


def test_a_range_is_left_to_the_log_where_that_changes_nothing() -> None:
    facts = [Fact(f"{at:03}", "a", at, at) for at in range(100)]
    log = Listed(facts, chunk=10)
    assert View(log).key("a").between(20, 40).between(30).count() == 10
    assert log.scanned == 10
    log = Listed(facts, chunk=10)
    assert [fact.id for fact in View(log).as_of(19).facts()] == ["019"]
    assert log.scanned == 20


def test_reading_ends_with_the_limit() -> None:
    log = Listed([Fact(f"{at:03}", "a", at, at) for at in range(100)], chunk=10)
    assert View(log).limit(15).count() == 15
    assert log.scanned == 20
    assert View(Listed(log.facts)).fact() == log.facts[0]


@pytest.mark.parametrize("key", ["common", "rare", "none"])
@pytest.mark.parametrize("bound", [None, 3_000])
def test_the_newest_of_a_large_log_are_found_in_its_last_stretch(
    tmp_path: Path, key: str, bound: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "_FEW", 100)
    names = ["rare" if at in {100, 101, 3_999} else "common" for at in range(4_000)]
    facts = [Fact(f"{at:05}", names[at], at, at) for at in range(4_000)]
    read = 0

    def counted(batch: Batch) -> NDArray[np.bool_]:
        nonlocal read
        read += len(batch)
        return np.ones(len(batch), np.bool_)

    with FactLog(tmp_path / "facts.db") as log:
        for at in range(0, 4_000, 50):
            log.append_facts(facts[at : at + 50])
        view = View(log).between(until=bound).rows(counted).key(key)
        wanted = [fact for fact in facts[:bound] if fact.key == key]
        assert view.last(3).facts() == newest(wanted)[:3]
        assert view.nth(2).facts() == newest(wanted)[1:2]
        assert view.last(3).between(until=2_999).facts() == [
            fact for fact in newest(wanted)[:3] if fact.event_time < 2_999
        ]
    assert read < (600 if key == "common" else 3 * 6_000)


def test_upkeep_of_the_log_changes_no_answer_but_of_what_is_gone(tmp_path: Path) -> None:
    facts = [Fact(f"{at:04}", f"k{at % 7}", 1000 - at, at) for at in range(1000)]
    with FactLog(tmp_path / "facts.db", now=lambda: 1000) as log:
        for at in range(0, 1000, 10):
            log.append_facts(facts[at : at + 10])
        view = View(log)
        asked = (view.as_of(500), view.as_of(700, known_at=600), view.latest(), view.last(10))
        before = [each.facts() for each in asked]
        assert before[0] == newest_of_each([fact for fact in facts if fact.event_time <= 500])
        log.trim(older_than=600e-9)
        assert view.facts() == facts[400:]
        assert view.as_of(500).facts() == before[0]
        answers = [each.facts() for each in asked]
        assert log.compact() > 0
        assert [each.facts() for each in asked] == answers


def test_latest_of_many_keys_holds_the_newest_of_each() -> None:
    facts = [Fact(f"{at:06}", f"k{at % 9000}", 30_000 - at, at) for at in range(30_000)]
    assert View(Listed(facts, chunk=1000)).latest().facts() == newest_of_each(facts)


def test_batches_whose_payloads_differ_are_one_answer() -> None:
    facts = [Fact("1", "a", 1, 1, {"x": 1}), Fact("2", "b", 2, 2, {"y": 2}), Fact("3", "a", 3, 3)]
    view = View(Listed(facts, chunk=1, columns=True))
    assert view.last(3).facts() == facts[::-1]
    assert view.latest().facts() == [facts[2], facts[1]]
    assert len(view.batch()) == 3


def test_an_empty_answer_has_the_columns_of_facts() -> None:
    empty = View(Listed([])).batch()
    assert len(empty) == 0
    assert {
        "id",
        "key",
        "event_time",
        "arrival_time",
        "lower",
        "upper",
        "payload",
        "offset",
    } == set(empty.names)
    assert View(Listed([])).fact() is None


def test_datetimes_are_moments_too() -> None:
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    at = int(noon.timestamp()) * 10**9
    view = View(Listed([Fact("1", "a", at, at + 1), Fact("2", "a", at + 1, at + 1)]))
    assert [fact.id for fact in view.as_of(noon).facts()] == ["1"]
    assert view.as_of(noon, known_at=noon).facts() == []
    assert view.between(until=noon).count() == 0
    assert view.between(noon).count() == 2


def test_a_flow_gives_the_rows_of_the_answer_again_and_again() -> None:
    facts = [Fact(f"{at:03}", "ab"[at % 2], at, at) for at in range(100)]
    flow = View(Listed(facts, chunk=7)).key("a").flow()

    async def main() -> None:
        for _ in range(2):
            rows = await flow.to_list()
            assert [row["id"] for row in rows] == [fact.id for fact in facts if fact.key == "a"]

    run(main())


def test_mistakes_are_told_where_they_are_made() -> None:
    view = View(Listed([]))
    with pytest.raises(FactError, match=r"key\(3\) wants texts"):
        view.key(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(FactError, match=r"between\(until\) is 1.5"):
        view.between(until=1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(FactError, match="without a time zone"):
        view.as_of(datetime(2026, 1, 2))  # noqa: DTZ001
    with pytest.raises(FactError, match="give None, bool"):
        view.where(x=object())
    for wrong in (view.last, view.nth):
        with pytest.raises(ValueError, match="whole number >= 1, got 0"):
            wrong(0)
    for wrong in (view.skip, view.limit):
        with pytest.raises(ValueError, match="whole number >= 0, got -1"):
            wrong(-1)


WHERE: list[tuple[Any, Any, bool]] = [
    ([1, [2]], (1, (2,)), True),
    ({"a": [1]}, {"a": (1,)}, True),
    ({"a": [True]}, {"a": [1]}, False),
    (True, 1, False),
    (1, True, False),
    (1, 1.0, True),
    (False, False, True),
    ([1], [1, 2], False),
    ("1", 1, False),
]


@pytest.mark.parametrize(("held", "asked", "found"), WHERE)
def test_where_compares_values_and_not_how_they_are_kept(
    tmp_path: Path, held: Any, asked: Any, found: bool
) -> None:
    with FactLog(tmp_path / "facts.db") as log:
        log.append_facts([Fact("a", "k", 1, 1, {"x": held})])
        assert View(log).where(x=asked).count() == found
    assert View(Listed([Fact("a", "k", 1, 1, {"x": held})])).where(x=asked).count() == found


def test_where_finds_moments_and_lists_in_columns(tmp_path: Path) -> None:
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    columns: dict[str, Any] = {
        "key": ["a", "b"],
        "event_time": [1, 2],
        "payload.at": np.array(["2026-01-02T12:00", "NaT"], "M8[s]"),
        "payload.pair": np.array([[1, 2], [3, 4]]),
        "payload.flag": np.array([True, False]),
    }
    with FactLog(tmp_path / "facts.db") as log:
        log.append_batch(Batch(columns))
        for asked in ({"at": noon}, {"pair": [1, 2]}, {"flag": True}):
            assert [fact.key for fact in View(log).where(**asked).facts()] == ["a"]
        assert View(log).where(at=None).count() == 1
