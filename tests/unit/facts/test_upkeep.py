"""Upkeep gives room back, holds little, lets others in between, and reads around what is damaged."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest

from rxml.errors import FactLogError, LogCorruptError
from rxml.facts import Fact, FactLog, chunks, facts_of, upkeep
from rxml.facts.mutex import Mutex
from rxml.facts.writer import Writer
from tests.unit.facts.drawn import numbered

if TYPE_CHECKING:
    from pathlib import Path

KIB = 1024


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "facts.db"


def heavy(count: int, size: int, start: int = 0) -> list[Fact]:
    """Facts with so many bytes each that cannot be deflated."""
    made = range(start, start + count)
    return [Fact(f"{n:032x}", "k", n, n, {"x": os.urandom(size)}) for n in made]


def scanned(log: FactLog, *bounds: int) -> list[Fact]:
    return [fact for batch in log.scan(*bounds) for fact in facts_of(batch)]


def ask(path: Path, question: str) -> list[Any]:
    connection = sqlite3.connect(path)
    rows = connection.execute(question).fetchall()
    connection.commit()
    connection.close()
    return rows


def damage(path: Path, first: int) -> None:
    ask(path, f"UPDATE chunks SET blob=zeroblob(length(blob)) WHERE first={first}")


def test_trimming_gives_room_back_to_the_disk(path: Path) -> None:
    with FactLog(path) as log:
        for start in range(0, 400, 100):
            log.append_facts(heavy(100, 10 * KIB, start))
    full = path.stat().st_size
    with FactLog(path) as log:
        assert log.trim(max_bytes=0) == 400
    assert path.stat().st_size < full / 10


def test_compaction_gives_room_back_to_the_disk(path: Path) -> None:
    with FactLog(path) as log:
        for n in range(300):
            log.append_facts(numbered(1, n))
    full = path.stat().st_size
    with FactLog(path) as log:
        assert log.compact() == 299
    assert path.stat().st_size < full / 2


def test_a_chunk_that_others_become_has_few_bytes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "BYTES", 50 * KIB)
    stored = heavy(40, 10 * KIB)
    with FactLog(path) as log:
        for fact in stored:
            log.append_facts([fact])
        log.append_facts(heavy(1, 90 * KIB, 100))
        assert log.compact() == 30
        assert scanned(log, 0, 40) == stored
    sizes = [size for (size,) in ask(path, "SELECT length(blob) FROM chunks ORDER BY last")]
    assert len(sizes) == 11
    assert max(sizes[:-1]) <= 50 * KIB


def test_facts_that_come_at_once_are_stored_in_chunks_of_few_bytes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "BYTES", 64 * KIB)
    stored = heavy(5, 100 * KIB) + heavy(200, KIB, 5)
    with FactLog(path) as log:
        assert log.append_facts(stored).stored == 205
        assert scanned(log) == stored
        assert log.append_facts(stored).duplicates == 205
    sizes = ask(path, "SELECT length(blob), last - first FROM chunks")
    assert all(size <= 64 * KIB or not more for size, more in sizes)


def contended(mutex: Mutex) -> bool:
    """Whether a thread waits while another one is in: it is that which holds the turn then."""
    return bool(vars(Mutex)["_turn"].__get__(mutex).locked())


def test_facts_are_stored_between_the_steps_of_a_compaction(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "ROWS", 10)
    compact, offsets = Writer.compact, list[int]()
    log = FactLog(path)
    for start in range(0, 60, 5):
        log.append_facts(numbered(5, start))
    mutex: Mutex = vars(log)["_mutex"]
    appended = threading.Thread(target=lambda: log.append_facts(numbered(5, 60)))

    def watched(self: Writer, offset: int) -> tuple[int, int | None]:
        if not offsets:
            appended.start()
            while not contended(mutex):
                pass
        offsets.append(self.next_offset)
        return compact(self, offset)

    monkeypatch.setattr(Writer, "compact", watched)
    with log:
        log.compact()
        appended.join()
        assert offsets[0] == 60
        assert offsets[1] == 65
        assert scanned(log) == numbered(65)


def test_who_waits_for_a_mutex_comes_before_who_was_just_there() -> None:
    mutex, order = Mutex(), list[str]()

    def wait() -> None:
        with mutex:
            order.append("waiting")

    waiting = threading.Thread(target=wait)
    with mutex:
        waiting.start()
        while not contended(mutex):
            pass
    with mutex:
        order.append("again")
    waiting.join()
    assert order == ["waiting", "again"]


def test_a_damaged_chunk_stops_neither_writing_nor_upkeep(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with FactLog(path) as log:
        for start in range(0, 500, 100):
            log.append_facts(numbered(100, start))
    damage(path, 200)
    with caplog.at_level(logging.WARNING, "rxml.facts"), FactLog(path) as log:
        told = log.append_facts(numbered(501))
        assert [log.statistics().first_offset, told.stored, told.duplicates] == [0, 101, 400]
        assert log.append_facts(numbered(501)).duplicates == 501
        assert log.compact() == 3
        with pytest.raises(LogCorruptError, match="from offset 300 on, into a new log"):
            scanned(log)
        again = [*scanned(log, 0, 200), *scanned(log, 300)]
        assert again == [
            *numbered(200),
            *numbered(200, 300),
            *numbered(100, 200),
            *numbered(1, 500),
        ]
        assert log.trim(older_than=0) == 601
    assert "offsets 200 to 299 is damaged" in caplog.text


def test_an_arrival_that_is_still_to_come_keeps_nothing(path: Path) -> None:
    with FactLog(path, now=lambda: 10**9) as log:
        log.append_facts([Fact("a", "k", 1, 1), Fact("b", "k", 1, 10**18)])
        log.append_facts([Fact("c", "k", 1, 10**18)])
        assert log.trim(older_than=0.5) == 2
        log.append_facts([Fact("d", "k", 1, 2)])
        log.append_facts([Fact("e", "k", 1, 9 * 10**8)])
        assert log.trim(older_than=0.5) == 2
        assert [fact.id for fact in scanned(log)] == ["e"]
        log.append_facts([Fact("f", "k", 1, 10**18)])
        assert log.trim(older_than=0) == 1
        assert [fact.id for fact in scanned(log)] == ["f"]


def test_arguments_of_upkeep_out_of_range(path: Path) -> None:
    with FactLog(path) as log:
        log.append_facts(numbered(3))
        with pytest.raises(FactLogError, match="must be >= 0, got -1"):
            log.trim(max_bytes=-1)
        assert log.length == 3
    with pytest.raises(FactLogError, match="poll must be > 0"):
        FactLog(path, poll=0)


def test_an_old_id_makes_no_run_anew_that_cannot_have_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rxml.facts.index._RECENT", 16)
    with FactLog(path) as log:
        for start in range(0, 160, 16):
            log.append_facts([Fact(f"{n << 64:032x}", "k", n, n) for n in range(start, start + 16)])
        runs = len(log.writing().index.runs)
        far = [Fact(f"{n << 64:032x}", "k", n, n) for n in (0, 10**9)]
        assert log.append_facts(far).duplicates == 1  # their span has all runs in it
        assert runs > 5
        assert log.statistics().index_bytes <= 12 * 16 * 2
