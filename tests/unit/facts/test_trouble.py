"""A log that cannot be used says why, and what had been committed is still there."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rxml.errors import (
    FactLogError,
    LogClosedError,
    LogCorruptError,
    LogFullError,
    LogLockedError,
    LogReadOnlyError,
    LogVersionError,
)
from rxml.facts import Fact, FactLog, database, facts_of
from tests.unit.facts.drawn import numbered

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
WRITE = """
import sys
from rxml.facts import Fact, FactLog
log = FactLog(sys.argv[1])
n = 0
while True:
    log.append_facts([Fact(f"{n + each:032x}", "k", n, n) for each in range(100)])
    n += 100
    print(n, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "facts.db"


def filled(path: Path, count: int = 2000) -> list[Fact]:
    stored = numbered(count)
    with FactLog(path) as log:
        for start in range(0, count, 100):
            log.append_facts(stored[start : start + 100])
    return stored


def read(path: Path) -> list[Fact]:
    with FactLog(path, read_only=True) as log:
        return [fact for batch in log.scan() for fact in facts_of(batch)]


def test_a_second_writer_is_told_at_once_who_the_first_is(path: Path) -> None:
    with FactLog(path) as one, FactLog(path) as other:
        one.append_facts(numbered(3))
        assert other.length == 3
        with pytest.raises(LogLockedError, match=f"process {os.getpid()}"):
            other.append_facts(numbered(3))
        with pytest.raises(LogLockedError):
            other.trim(max_bytes=0)
        one.close()
        assert other.append_facts(numbered(4)).stored == 1


def test_a_writer_that_is_killed_leaves_what_it_told_and_no_lock(path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(20)][-1]
    with FactLog(path) as log:
        with pytest.raises(LogLockedError, match=f"process {process.pid}"):
            log.append_facts(numbered(1))
        assert log.length >= told
        process.send_signal(signal.SIGKILL)
        told = max([told, *map(int, process.stdout.read().split())])
        process.wait()
        process.stdout.close()
        stored = log.length
        assert stored >= told
        assert stored % 100 == 0
        assert log.append_facts(numbered(stored + 1)).stored == 1


def test_a_newer_format_is_refused_with_both_versions(path: Path) -> None:
    filled(path, 100)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=9")
    connection.close()
    for read_only in (True, False):
        with (
            FactLog(path, read_only=read_only) as log,
            pytest.raises(LogVersionError, match="format 9, this rxml knows formats up to 1"),
        ):
            list(log.scan())
    with FactLog(path) as log, pytest.raises(LogVersionError):
        log.append_facts(numbered(1))


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def scribbled(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 64)


def replaced(path: Path) -> None:
    path.write_bytes(b"this is no database at all" * 100)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [truncated, scribbled, replaced, emptied])
def test_a_damaged_file_is_never_taken_for_a_whole_one(
    path: Path, damage: Callable[[Path], None]
) -> None:
    filled(path, 5000)
    damage(path)
    with pytest.raises(LogCorruptError) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_what_stands_beside_a_damaged_chunk_can_be_read(path: Path) -> None:
    stored = filled(path, 300)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE chunks SET blob=zeroblob(length(blob)) WHERE first=100")
    connection.commit()
    connection.close()
    with FactLog(path, read_only=True) as log:
        with pytest.raises(LogCorruptError, match=r"offsets 100 to 199 .* from offset 200 on"):
            list(log.scan())
        assert [fact for batch in log.scan(to_offset=100) for fact in facts_of(batch)] == stored[
            :100
        ]
        assert [fact for batch in log.scan(200) for fact in facts_of(batch)] == stored[200:]


def test_another_database_is_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = path.read_bytes()
    with FactLog(path) as log, pytest.raises(LogCorruptError, match="no fact log"):
        log.append_facts(numbered(1))
    assert path.read_bytes() == before


def test_a_full_disk_stores_nothing_of_the_chunk_and_loses_nothing(path: Path) -> None:
    stored = filled(path, 500)
    log = FactLog(path)
    connection = log.writing().connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    more = [Fact(f"m{n}", "k", n, n, {"x": os.urandom(100)}) for n in range(1000)]
    with pytest.raises(LogFullError, match="make room"):
        log.append_facts(more, {"mark": b"1"})
    assert read(path) == stored
    assert log.mark("mark") is None
    connection.execute("PRAGMA max_page_count=1000000")
    assert [each.offset for each in log.append_facts(more)] == list(range(500, 1500))
    log.close()
    assert read(path) == stored + more


def test_a_full_disk_while_the_index_is_written_forgets_no_id(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rxml.facts.index._RECENT", 64)
    texts = [Fact(f"t{n * 7919 % 10007}", "k", n, n) for n in range(640)]
    with FactLog(path) as log:
        for start in range(0, 320, 64):
            log.append_facts(texts[start : start + 64])
        connection = log.writing().connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")
        failed = 0
        for start in range(320, 640, 64):
            try:
                log.append_facts(texts[start : start + 64])
            except LogFullError:
                failed += 1
        assert failed
        connection.execute("PRAGMA max_page_count=1000000")
        before = log.length
        assert log.append_facts(texts).stored == 640 - before
        assert log.length == 640


def test_what_cannot_be_written_to_says_so(path: Path) -> None:
    filled(path, 100)
    with FactLog(path, read_only=True) as log:
        for change in (lambda: log.append_facts([]), log.compact, lambda: log.trim(max_bytes=1)):
            with pytest.raises(LogReadOnlyError, match="read_only=True"):
                change()
    with FactLog(path) as log:
        log.writing().connection.execute("PRAGMA query_only=1")
        with pytest.raises(LogReadOnlyError, match="cannot be written to"):
            log.append_facts(numbered(101))
    for folder in ("/proc", "/proc/self"):
        with FactLog(f"{folder}/facts.db") as log, pytest.raises(FactLogError, match="/proc"):
            log.append_facts([])


def test_a_file_without_the_right_to_write_can_be_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = filled(path, 100)

    def refused(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch, FactLog(path) as log:
        patch.setattr(os, "open", refused)
        with pytest.raises(LogReadOnlyError, match="Permission denied"):
            log.append_facts([])
    assert read(path) == stored


def test_a_log_in_a_directory_that_cannot_be_written_to_is_read_as_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> bool:
        return False

    stored = filled(path, 100)
    monkeypatch.setattr(os, "access", refused)
    with FactLog(path, read_only=True) as log:
        assert [fact for batch in log.scan() for fact in facts_of(batch)] == stored
        assert log.length == 100
        assert {each.name for each in path.parent.iterdir()} == {path.name, f"{path.name}.lock"}


def test_a_log_that_nobody_holds_any_more_has_no_writer(path: Path) -> None:
    log = FactLog(path)
    log.append_facts(numbered(1))
    del log
    gc.collect()
    with FactLog(path) as other:
        assert other.append_facts(numbered(2)).stored == 1


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    with (
        FactLog(tmp_path / "none.db", read_only=True) as log,
        pytest.raises(FactLogError, match="there is no fact log at"),
    ):
        list(log.scan())
    with (
        FactLog(tmp_path / "no" / "facts.db") as log,
        pytest.raises(FactLogError, match="there is no directory"),
    ):
        list(log.scan())
    with FactLog(tmp_path) as log, pytest.raises(FactLogError, match="is a directory"):
        list(log.scan())
    with FactLog(tmp_path / "new.db") as log:
        assert (list(log.scan()), log.length, log.statistics().first_event) == ([], 0, None)


def test_a_program_that_keeps_the_file_locked_is_named_after_a_while(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path, 100)
    monkeypatch.setattr(database, "_WAIT_SECONDS", 0.0)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with FactLog(path) as log:
        with pytest.raises(LogLockedError, match="kept locked by another program"):
            log.append_facts(numbered(101))
        other.execute("ROLLBACK")
        other.close()
        assert log.append_facts(numbered(101)).stored == 1


def test_a_closed_log_says_so(path: Path) -> None:
    log = FactLog(path)
    log.append_facts(numbered(1))
    log.close()
    log.close()
    for use in (lambda: log.append_facts([]), lambda: log.length, lambda: list(log.scan())):
        with pytest.raises(LogClosedError, match="has been closed"):
            use()


@pytest.mark.parametrize(("arguments", "says"), [((10, 1), "0 to 9"), ((1, 0), "must be > 0")])
def test_arguments_out_of_range(path: Path, arguments: tuple[int, int], says: str) -> None:
    with pytest.raises(FactLogError, match=says):
        FactLog(path, compression=arguments[0], index_bytes=arguments[1])


def test_every_transaction_is_on_the_disk_if_wanted(path: Path) -> None:
    for durable, synchronous in ((False, 1), (True, 2)):
        with FactLog(path, durable=durable) as log:
            connection = log.writing().connection
            assert connection.execute("PRAGMA synchronous").fetchone()[0] == synchronous
            assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
