"""A log gives back what was stored, in the order in which it came, each fact once."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from rxml.batch import Batch
from rxml.errors import FactError, FactLogError
from rxml.facts import Fact, FactLog, Outcome, facts_of
from rxml.facts import index as index_module
from tests.unit.facts.drawn import facts, numbered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NO_COLOUR = (
    "a fact has no 'colour': it has id, key, event_time, arrival_time, lower, upper and payload; "
    "put the rest into the payload"
)
COMPRESSION = st.sampled_from([0, 1, 9])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "facts.db"


@pytest.fixture
def log(path: Path) -> Iterator[FactLog]:
    with FactLog(path) as opened:
        yield opened


def scanned(log: FactLog, *bounds: int) -> list[Fact]:
    return [fact for batch in log.scan(*bounds) for fact in facts_of(batch)]


def offsets(log: FactLog) -> list[int]:
    return [int(each) for batch in log.scan() for each in batch["offset"]]


class Model:
    """The log as a list."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def append(self, given_facts: Sequence[Fact]) -> list[Outcome]:
        return [self._one(fact) for fact in given_facts]

    def _one(self, fact: Fact) -> Outcome:
        for offset, stored in enumerate(self.facts):
            if stored.id == fact.id:
                return Outcome("duplicate", offset, None)
        self.facts.append(fact)
        return Outcome("stored", len(self.facts) - 1, None)


@settings(max_examples=25)
@given(
    st.lists(
        st.lists(facts(st.sampled_from("abcdefgh") | st.uuids().map(str)), max_size=6), max_size=6
    ),
    COMPRESSION,
    st.booleans(),
)
def test_a_log_is_a_list_without_duplicates_also_when_it_is_opened_again(
    batches: list[list[Fact]], compression: int, again: bool
) -> None:
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        log = FactLog(f"{folder}/facts.db", compression=compression)
        for batch in batches:
            assert log.append_facts(batch).listed() == model.append(batch)
            if again:
                log.close()
                log = FactLog(f"{folder}/facts.db", compression=compression)
        assert scanned(log) == model.facts
        assert log.next_offset == log.length == len(model.facts)
        before = list(log.scan())
        log.compact()
        after = list(log.scan())
        if before:
            assert Batch.concat(after) == Batch.concat(before)
        log.close()


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 700), st.integers(0, 700))
def test_a_scan_keeps_to_its_bounds(first: int, stop: int, early: int, late: int) -> None:
    stored = numbered(50)
    with tempfile.TemporaryDirectory() as folder, FactLog(f"{folder}/facts.db") as log:
        for start in range(0, 50, 7):
            log.append_facts(stored[start : start + 7])
        if first > 50:
            with pytest.raises(FactLogError, match="it ends at 50"):
                scanned(log, first, stop, early, late)
            return
        wanted = [fact for fact in stored[first:stop] if early <= fact.event_time < late]
        assert scanned(log, first, stop, early, late) == wanted
        assert scanned(log, first) == stored[first:]


def test_a_hundred_facts_of_one_sensor_in_one_moment_are_a_hundred(log: FactLog) -> None:
    sent = [Fact.of("s", 5, {"n": n}, arrival_time=5) for n in range(100)]
    assert log.append_facts(sent).stored == 100
    assert log.append_facts(sent).duplicates == 100
    assert log.length == 100


def test_ids_that_look_alike_are_not_the_same(log: FactLog) -> None:
    ids = ["ab" * 16, "AB" * 16, "aB" * 16, " " + "ab" * 15 + " ", "ab" * 15, "\uff10" * 32]
    for each in ids:
        assert log.append_batch(Batch({"id": [each], "key": ["k"], "event_time": [1]})).stored == 1
    assert log.append_batch(Batch({"id": ids, "key": ids, "event_time": [1] * 6})).duplicates == 6
    assert [fact.id for fact in scanned(log)] == ids


def columns(n: int, start: int = 0) -> dict[str, Any]:
    return {
        "id": [f"{each:032x}" for each in range(start, start + n)],
        "key": [f"k{each % 3}" for each in range(n)],
        "event_time": np.arange(start, start + n),
        "payload.x": np.linspace(0, 1, n),
    }


def test_columns_are_stored_as_they_are_and_the_rest_is_filled_in(path: Path) -> None:
    with FactLog(path, now=lambda: 77) as log:
        assert log.append_batch(Batch(columns(20_000))).stored == 20_000
        batches = list(log.scan())
        assert [len(batch) for batch in batches] == [8192, 8192, 3616]
        whole = Batch.concat(batches)
        assert whole.select(*columns(1)) == Batch(columns(20_000))
        assert set(whole["arrival_time"].tolist()) == {77}
        assert np.isnan(whole["lower"]).all()
        assert facts_of(batches[0][:1])[0].payload == {"x": 0.0}


def test_each_row_that_is_no_fact_is_reported_and_the_others_are_stored(log: FactLog) -> None:
    n = 8
    given_columns: dict[str, Any] = {
        "id": np.array(["a", "", "c", "d", "e", "f", None, "a"], object),
        "key": np.array(["k", "k", "", "k", "k", "k", "k", "k"], object),
        "event_time": np.arange(n),
        "lower": [0.0, 0, 0, 2, np.nan, np.nan, 0, 0],
        "upper": [1.0, 1, 1, 1, 1, np.nan, 1, 1],
    }
    outcomes = log.append_batch(Batch(given_columns))
    assert [each.status for each in outcomes] == [
        "stored", "rejected", "rejected", "rejected", "rejected", "stored", "rejected", "duplicate",
    ]  # fmt: skip
    assert [each.offset for each in outcomes] == [0, None, None, None, None, 1, None, 0]
    reasons = [each.reason for each in outcomes if each.reason]
    assert reasons == [
        "id has 0 characters: give 1 to 255",
        "key has 0 characters: give 1 to 1024",
        "lower 2.0 is above upper 1.0: exchange them",
        "lower is None: bounds are two finite floats, or both None",
        "id is None, a NoneType: give a str",
    ]
    assert (outcomes[-1], list(outcomes[1:3])) == (outcomes.listed()[-1], outcomes.listed()[1:3])
    assert list(outcomes[::-2]) == outcomes.listed()[::-2]
    assert repr(outcomes) == "Outcomes(2 stored, 1 duplicates, 5 rejected)"
    assert [fact.id for fact in scanned(log)] == ["a", "f"]


def test_times_in_columns_of_the_payload_are_aware_datetimes(log: FactLog) -> None:
    when = np.array(["2026-01-02T03:04:05", "NaT"], "M8[s]")
    log.append_batch(Batch({"key": ["a", "b"], "event_time": [1, 2], "payload.when": when}))
    found = [fact.payload["when"] for fact in scanned(log)]
    assert found == [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None]


def test_times_as_datetime64_and_what_is_none(log: FactLog) -> None:
    now = np.datetime64("2026-01-02T00:00:00", "s")
    times = np.array([now, np.datetime64("NaT")], "M8[s]")
    outcomes = log.append_batch(Batch({"key": ["a", "b"], "event_time": times}))
    assert outcomes[1].reason == "event_time is missing (NaT): give one, or leave the fact out"
    assert scanned(log)[0].event_time == 1_767_312_000 * 10**9
    seconds = Batch(
        {
            "key": ["a", "b"],
            "event_time": [1_767_312_000, 5],
            "arrival_time": [1_767_312_000 * 10**9] * 2,
        }
    )
    assert "would be in seconds" in (log.append_batch(seconds)[0].reason or "")
    huge = Batch({"key": ["a"], "event_time": np.array([2**63], np.uint64)})
    assert "must fit 64 bits" in (log.append_batch(huge)[0].reason or "")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"event_time": None}, "there is no column 'event_time'"),
        ({"event_time": [1.5, 2.5]}, "'event_time' is float64"),
        ({"other": [1, 2]}, "call it 'payload.other'"),
        ({"key": [1, 2]}, "give one str a row"),
        ({"lower": ["a", "b"]}, "give one number a row"),
        ({"payload": [1.0, 2.0]}, "give one mapping a row"),
        ({"payload": np.array([{}, {}], object), "payload.x": [1, 2]}, "give one or the other"),
        ({"payload.x": np.array([1, 2], "m8[s]")}, "is timedelta64[s], which could not be read"),
        ({"payload.x": np.array([1, 2j])}, "is complex128, which could not be read"),
    ],
)
def test_columns_that_are_no_facts_are_refused_as_a_whole(
    log: FactLog, changed: dict[str, Any], says: str
) -> None:
    given_columns: dict[str, Any] = {"key": ["a", "b"], "event_time": [1, 2], **changed}
    batch = Batch({name: each for name, each in given_columns.items() if each is not None})
    with pytest.raises(FactError) as caught:
        log.append_batch(batch)
    assert says in str(caught.value)
    assert log.length == 0


def test_mappings_say_what_is_wrong_with_them(log: FactLog) -> None:
    fine = {"key": "k", "event_time": 1, "payload.x": 2, "payload": {"y": 3}, "lower": float("nan")}
    outcomes = log.append_facts(
        [
            fine,
            7,
            {"key": "k", "event_time": 1, "colour": "red"},
            {"event_time": 1},
            {**fine, "payload": 1},
        ]
    )
    assert [each.reason for each in outcomes] == [
        None,
        "a int is no fact: give a Fact, or a mapping",
        NO_COLOUR,
        "key is missing: a fact has a key and an event_time at least",
        "payload is 1, a int: give a mapping",
    ]
    assert scanned(log)[0].payload == {"x": 2, "y": 3}


@pytest.fixture
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_RECENT", 16)


@pytest.mark.usefixtures("small_runs")
@pytest.mark.parametrize("growing", [True, False])
@pytest.mark.parametrize("form", ["032x", "05d"])
def test_a_fact_is_found_again_in_whatever_run_it_is(path: Path, growing: bool, form: str) -> None:
    order = np.arange(1000) if growing else np.random.default_rng(1).permutation(1000)
    sent = [Fact(format(int(n), form), "k", 0, 0) for n in order]
    with FactLog(path, index_bytes=1) as log:
        for start in range(0, 1000, 10):
            assert log.append_facts(sent[start : start + 10]).stored == 10
            again = log.append_facts(sent[start // 2 : start // 2 + 10])
            assert [each.offset for each in again] == list(range(start // 2, start // 2 + 10))
        assert log.statistics().index_bytes <= 12 * 16 * 16 * 2
    with FactLog(path) as log:
        assert log.append_facts(reversed(sent)).duplicates == 1000
        assert scanned(log) == sent


@pytest.mark.usefixtures("small_runs")
def test_ids_of_one_hash_are_told_apart(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rxml.facts import runs

    def sevens(ids: Any, _: int) -> Any:
        return np.full(len(ids), 7, np.uint64)

    monkeypatch.setattr(runs, "_mixed", sevens)
    monkeypatch.setattr(runs, "hashes_of", sevens)
    sent = numbered(60)
    texts = [Fact(f"t{n}", "k", n, n) for n in range(30)]
    with FactLog(path) as log:
        for start in range(0, 60, 5):
            batch = [*sent[start : start + 5], *texts[start // 2 : start // 2 + 2]]
            assert log.append_facts(batch).stored == 7
            assert log.append_facts(batch).duplicates == 7
        stored = log.length
        assert log.append_facts(sent).duplicates == 60
        assert log.length == stored == 60 + 24


def test_what_is_trimmed_is_gone_and_its_offsets_are_never_given_again(path: Path) -> None:
    with FactLog(path, now=lambda: 10_000_000_000) as log:
        for start in range(0, 50, 10):
            log.append_facts([Fact(f"{n}", "k", n, n * 10**9) for n in range(start, start + 10)])
        assert log.trim(older_than=10_000) == 0
        # what arrived before second 10 + 15.5 - 10: chunks of 0..9 and no other
        late = FactLog(path, read_only=True, now=lambda: 0)
        assert late.length == 50
        late.close()
    with FactLog(path, now=lambda: 25 * 10**9 + 1) as log:
        assert log.trim(older_than=10) == 10
        assert offsets(log) == list(range(10, 50))
        assert log.append_facts([Fact("3", "k", 3, 3)]).listed() == [Outcome("stored", 50, None)]
        assert log.append_facts([Fact("13", "k", 3, 3)]).listed() == [
            Outcome("duplicate", 13, None)
        ]
        assert log.trim(max_bytes=0) == 41
        assert (log.length, log.next_offset, scanned(log)) == (0, 51, [])
    with FactLog(path) as log:
        assert log.append_facts([Fact("new", "k", 3, 3)])[0].offset == 51
        statistics = log.statistics()
        assert (statistics.facts, statistics.first_offset, statistics.stored) == (1, 51, 1)


@pytest.mark.usefixtures("small_runs")
def test_trimming_forgets_runs_and_keeps_to_a_size(path: Path) -> None:
    with FactLog(path) as log:
        for start in range(0, 200, 10):
            log.append_facts(numbered(10, start))
        size = log.statistics().bytes
        log.trim(max_bytes=size // 2)
        assert 0 < log.statistics().bytes <= size // 2
        first = log.statistics().first_offset
        assert offsets(log) == list(range(first, 200))
        outcomes = log.append_facts(numbered(200))
        assert outcomes.stored == first
        assert log.length == 200


def test_compaction_joins_what_is_alike_and_changes_nothing(path: Path) -> None:
    with FactLog(path) as log:
        for start in range(0, 30, 3):
            log.append_facts(numbered(3, start))
        log.append_batch(Batch(columns(5, start=1000)))
        log.append_batch(Batch(columns(5, start=2000)))
        before = [dict(row) for batch in log.scan() for row in batch]
        assert log.statistics().chunks == 12
        assert log.compact() == 10
        assert log.compact() == 0
        assert log.statistics().chunks == 2
        after = [dict(row) for batch in log.scan() for row in batch]
        assert repr(after) == repr(before)
        assert log.append_facts(numbered(30)).duplicates == 30
        assert all(one < other for one, other in pairwise(offsets(log)))


def test_marks_are_stored_with_the_facts_or_not_at_all(log: FactLog) -> None:
    assert log.mark("input") is None
    log.append_facts(numbered(3), {"input": b"3"})
    log.append_facts([], {"other": b"x"})
    assert (log.mark("input"), log.mark("other")) == (b"3", b"x")
    with pytest.raises(FactError):
        log.append_batch(Batch({"key": ["a"]}), {"input": b"4"})
    assert log.mark("input") == b"3"
