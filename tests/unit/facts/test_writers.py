"""There is one writer, whatever way leads to the log; and what is left of a log is not taken for a new one."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rxml.errors import FactLogError, LogCorruptError, LogLockedError
from rxml.facts import FactLog, PartitionedLog, facts_batch
from tests.unit.facts.drawn import numbered

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
FORK = """
import os, sys
from rxml.facts import Fact, FactLog
log = FactLog(sys.argv[1])
log.append_facts([Fact("a", "k", 1, 1)])
assert log.length == 1
ended, end = os.pipe()
child = os.fork()
if not child:
    for use in (lambda: log.append_facts([]), lambda: log.length, lambda: list(log.scan())):
        try:
            use()
        except Exception as error:
            print(type(error).__name__, error, flush=True)
    log.close()
    os.close(end)
    os.read(ended, 1)  # lives as long as its parent
    os._exit(0)
log.append_facts([Fact("c", "k", 1, 1)])
log.close()
with FactLog(sys.argv[1]) as again:
    print(again.append_facts([Fact("d", "k", 1, 1)])[0].offset, flush=True)
os.close(end)
os.waitpid(child, 0)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "facts.db"


def test_a_link_to_a_log_has_the_lock_of_the_log(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    with FactLog(path) as one, FactLog(link) as other:
        one.append_facts(numbered(3))
        link.symlink_to(path)
        with pytest.raises(LogLockedError, match=f"process {os.getpid()}"):
            other.append_facts(numbered(3))
        assert other.length == 3


def test_a_fork_neither_writes_nor_keeps_the_lock(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    *refused, offset = sorted(done.stdout.splitlines(), reverse=True)
    assert len(refused) == 3
    assert all(line.startswith("LogLockedError") and "a fork" in line for line in refused)
    assert offset == "2"


def test_what_another_writer_stored_past_the_lock_is_noticed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FactLog(path) as one, FactLog(path) as other:
        one.append_facts(numbered(3))
        monkeypatch.setattr(fcntl, "flock", free)
        other.append_facts(numbered(3, 3))
        for change in (
            lambda: one.append_facts(numbered(3, 6)),
            lambda: one.append_facts([], {"mark": b"1"}),
            lambda: one.trim(max_bytes=0),
        ):
            with pytest.raises(LogLockedError, match="ends at offset 6, not at 3"):
                change()
        assert (other.length, other.mark("mark")) == (6, None)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def all_but_one(path: Path) -> None:
    os.truncate(path, 1)


def length(log: FactLog) -> object:
    return log.length


def append(log: FactLog) -> object:
    return log.append_facts([])


def free(*_: object) -> None:
    """What `flock` is on some network drives."""


@pytest.mark.parametrize("damage", [emptied, all_but_one])
@pytest.mark.parametrize("use", [append, length])
def test_what_is_left_of_a_log_is_no_new_one(
    path: Path, damage: Callable[[Path], None], use: Callable[[FactLog], object]
) -> None:
    with FactLog(path) as log:
        log.append_facts(numbered(100))
    damage(path)
    size = path.stat().st_size
    with FactLog(path) as log, pytest.raises(LogCorruptError, match="truncated"):
        use(log)
    assert path.stat().st_size == size


def test_a_new_log_may_be_made_of_an_empty_file_and_where_one_was_removed(path: Path) -> None:
    path.touch()
    with FactLog(path) as log:
        assert log.append_facts(numbered(1)).stored == 1
    path.unlink()
    with FactLog(path) as log:
        assert log.append_facts(numbered(1)).stored == 1


def test_a_directory_is_told_from_a_log(tmp_path: Path) -> None:
    parts, folder = tmp_path / "parts", tmp_path / "folder"
    folder.mkdir()
    with PartitionedLog(parts, 2) as log:
        log.append_batch(facts_batch(numbered(2)))
    for directory, words in ((parts, "directory of a PartitionedLog"), (folder, "path of a file")):
        for use in (length, append):
            with FactLog(directory) as wrong, pytest.raises(FactLogError, match=words):
                use(wrong)
    assert {each.name for each in tmp_path.iterdir()} == {"parts", "folder"}
