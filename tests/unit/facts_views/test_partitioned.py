"""A log in several files is read as one: in the order of what was given, whoever said most of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from rxml.batch import Batch
from rxml.errors import (
    FactError,
    FactLogError,
    LogCorruptError,
    LogFullError,
    LogLockedError,
    LogVersionError,
)
from rxml.facts.fact import Fact
from rxml.facts.partitioned import PartitionedLog
from rxml.facts.table import facts_batch
from rxml.facts.views import View
from tests.unit.facts_views.facts import drawn_facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


ENDS = st.integers(0, 45)


def talk(count: int) -> list[Fact]:
    """One sensor says nine tenths of everything, all in one millisecond."""
    return [
        Fact(
            f"id-{at}", "hot" if at % 10 else f"lion-{at % 7}", 10**15 + at % 3, 10**15, {"at": at}
        )
        for at in range(count)
    ]


def give(log: PartitionedLog, facts: list[Fact], size: int) -> None:
    for at in range(0, len(facts), size):
        assert log.append_batch(facts_batch(facts[at : at + size])).stored == len(
            facts[at : at + size]
        )


def test_a_hot_sensor_burdens_all_alike_and_its_facts_keep_their_order(tmp_path: Path) -> None:
    facts = talk(8000)
    with PartitionedLog(tmp_path, 16) as log:
        give(log, facts, 3000)
        loads = [part.length for part in log.logs]
        assert max(loads) / (sum(loads) / 16) <= 1.2
        assert View(log).facts() == facts
        hot = [fact for fact in facts if fact.key == "hot"]
        assert View(log).key("hot").facts() == hot
        newest = sorted(hot, key=lambda fact: (fact.event_time, fact.id), reverse=True)
        assert View(log).key("hot").last(10).facts() == newest[:10]
        assert log.compact() > 0
        assert View(log).facts() == facts
    with PartitionedLog(tmp_path, read_only=True) as again:
        assert View(again).facts() == facts
        assert (again.length, again.next_offset) == (8000, 8000)
        offsets = [batch.array("offset") for batch in again.scan()]
        assert np.concatenate(offsets).tolist() == list(range(8000))


@settings(max_examples=20)  # each makes files
@given(drawn_facts(), st.integers(1, 5), st.integers(1, 20), st.tuples(ENDS, ENDS))
def test_it_reads_from_any_offset_to_any_other(
    tmp_path_factory: pytest.TempPathFactory,
    facts: list[Fact],
    n: int,
    size: int,
    ends: tuple[int, int],
) -> None:
    from_, until = ends
    with PartitionedLog(tmp_path_factory.mktemp("log"), n) as log:
        give(log, facts, size)
        if from_ > len(facts):
            with pytest.raises(FactLogError, match=f"it ends at {len(facts)}"):
                list(log.scan(from_, until))
            return
        found = [row["id"] for batch in log.scan(from_, until) for row in batch]
        assert found == [fact.id for fact in facts[from_:until]]
        assert View(log).between(3, 6).facts() == [f for f in facts if 3 <= f.event_time < 6]


def test_what_is_given_again_is_told_the_offset_that_it_has(tmp_path: Path) -> None:
    facts = talk(100)
    with PartitionedLog(tmp_path, 4) as log:
        give(log, facts, 40)
        told = log.append_batch(facts_batch(facts[::-1]))
        assert (told.stored, told.duplicates) == (0, 100)
        assert told.offsets.tolist() == list(range(99, -1, -1))
    with PartitionedLog(tmp_path) as log:  # a number is given once, though those were not used
        more = log.append_batch(Batch({"key": ["a"], "event_time": [1]}))
        assert more[0].offset == 100
        assert View(log).count() == 101


def test_what_is_no_fact_is_refused_by_its_row(tmp_path: Path) -> None:
    ids = np.array(["a", 3, "b", "\ud800", ""], object)
    batch = Batch({"id": ids, "key": ["k"] * 5, "event_time": [1] * 5})
    with PartitionedLog(tmp_path, 3) as log:
        told = log.append_batch(batch)
        assert [outcome.status for outcome in told] == ["stored", "rejected"] * 2 + ["rejected"]
        assert [outcome.offset for outcome in told] == [0, None, 2, None, None]
        assert "a int: give a str" in told.reasons[1]
        with pytest.raises(FactError, match="event_time"):
            log.append_batch(Batch({"key": ["a"]}))
        with pytest.raises(FactError, match="one str a row"):
            log.append_batch(Batch({"id": [1], "key": ["a"], "event_time": [1]}))


def test_numbers_are_not_given_again_when_all_facts_are_gone(tmp_path: Path) -> None:
    with PartitionedLog(tmp_path, 3) as log:
        give(log, talk(50), 50)
        assert log.trim(max_bytes=0) == 50
        assert (log.length, View(log).facts()) == (0, [])
        assert (log.first_offset, log.statistics().first_offset) == (50, 50)
    with PartitionedLog(tmp_path) as log:
        assert log.next_offset == 50
        give(log, [Fact("x", "a", 1, 1)], 1)
        assert [row["offset"] for batch in log.scan() for row in batch] == [50]


@pytest.mark.parametrize("again", [True, False])
def test_a_batch_that_was_stored_in_part_keeps_its_order_when_it_is_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    facts = talk(120)
    log = PartitionedLog(tmp_path, 4)
    give(log, facts[:20], 20)

    def full(*_: object) -> Any:
        raise LogFullError

    with monkeypatch.context() as patch:
        patch.setattr(log.logs[2], "append_batch", full)
        with pytest.raises(LogFullError):
            log.append_batch(facts_batch(facts[20:100]))
    assert 20 < log.length < 100
    if again:  # in another process
        log.close()
        log = PartitionedLog(tmp_path)
    told = log.append_batch(facts_batch(facts[20:100]))
    assert told.offsets.tolist() == list(range(20, 100))
    assert told.stored
    assert told.duplicates
    assert log.append_batch(facts_batch(facts[20:100])).duplicates == 80
    give(log, facts[100:], 20)
    assert View(log).facts() == facts
    assert (log.first_offset, log.next_offset) == (0, 120)
    log.close()


def test_one_object_writes_and_others_read(tmp_path: Path) -> None:
    with PartitionedLog(tmp_path, 3) as log, PartitionedLog(tmp_path, 3) as other:
        give(log, talk(10), 10)
        with pytest.raises(LogLockedError):
            other.append_batch(facts_batch(talk(1)))
        assert View(other).facts() == talk(10)
        give(log, talk(20)[10:], 10)
        assert View(other).facts() == talk(20)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"n": 5}, "has partitions 4, not 5: every fact has its place by it"),
        ({"seed": 2}, "has seed 1, not 2"),
    ],
)
def test_another_partitioning_is_refused(tmp_path: Path, how: dict[str, Any], said: str) -> None:
    with PartitionedLog(tmp_path, 4, seed=1) as log:
        give(log, talk(3), 3)
    with pytest.raises(FactLogError, match=said):
        PartitionedLog(tmp_path, **how)
    assert PartitionedLog(tmp_path, 4, seed=1).length == 3


@pytest.mark.parametrize("how", [{}, {"n": 0}, {"n": 1001}, {"n": 1, "seed": -1}])
def test_a_new_log_must_be_told_how(tmp_path: Path, how: dict[str, Any]) -> None:
    with pytest.raises(FactLogError, match=r"give n|wants 1 to 1000"):
        PartitionedLog(tmp_path / "new", **how)
    assert not (tmp_path / "new").exists()


def newer(kept: dict[str, int]) -> dict[str, int]:
    return {**kept, "format": 2}


def torn(kept: dict[str, int]) -> dict[str, int]:
    return {"format": kept["format"]}


@pytest.mark.parametrize(("damage", "error"), [(newer, LogVersionError), (torn, LogCorruptError)])
def test_settings_that_cannot_be_read_are_told(
    tmp_path: Path, damage: Callable[[dict[str, int]], dict[str, int]], error: type[Exception]
) -> None:
    with PartitionedLog(tmp_path, 2) as log:
        give(log, talk(3), 3)
    path = tmp_path / "partitions.json"
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    with pytest.raises(error, match=r"partitions\.json"):
        PartitionedLog(tmp_path)
