"""A trainer's guard, its folder, and what it writes."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rxml.learning.facade import spawning
from rxml.learning.facade.sayings import Sayings

if TYPE_CHECKING:
    from collections.abc import Iterator

GUARD = str(Path(spawning.__file__).with_name("guard.py"))
LONG = 60.0

ORPHAN = """
import os, signal, time
here, there = os.pipe()
if os.fork():
    os.wait()
    print(int(os.read(here, 20)), flush=True)
    {then}
os.setsid()
if os.fork():
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(there, b"%d" % os.getpid())
time.sleep(600)
"""
"""A process whose grandchild has a session of its own, no parent, and ignores what asks it to end."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    where = tmp_path / "folder"
    where.mkdir()
    (where / "file").write_text("x", encoding="ascii")
    return where


@pytest.fixture
def channel() -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield theirs


def guarded(channel: socket.socket, folder: Path, code: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", GUARD, str(channel.fileno()), str(folder)]
    return subprocess.Popen(
        [*command, sys.executable, "-I", "-S", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=(channel.fileno(),),
        start_new_session=True,
    )


def started(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def status_of(process: subprocess.Popen[bytes], started: int) -> int:
    """The status of a guard, and nothing is left."""
    status = process.wait(LONG)
    with pytest.raises(ProcessLookupError):
        os.kill(started, 0)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    return status


def test_who_asked_is_gone_and_so_is_all_that_was_started(
    channel: socket.socket, folder: Path
) -> None:
    process = guarded(channel, folder, ORPHAN.format(then="time.sleep(600)"))
    orphan = started(process)
    assert process.stdin is not None
    process.stdin.close()  # as a kernel does when a process is killed
    assert status_of(process, orphan) == -signal.SIGKILL
    assert not folder.exists()


@pytest.mark.parametrize(
    ("then", "status"),
    [
        ("os._exit(3)", 3),
        ("os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
        ("signal.signal(15, signal.SIG_IGN); os.killpg(0, 15); os._exit(4)", 4),
    ],
)
def test_it_ends_as_the_trainer_has_ended_and_leaves_the_folder_to_who_asked(
    channel: socket.socket, folder: Path, then: str, status: int
) -> None:
    process = guarded(channel, folder, ORPHAN.format(then=then))
    assert status_of(process, started(process)) == status
    assert folder.exists()


def test_what_tidies_up_behind_a_trainer_has_time_for_that(
    channel: socket.socket, folder: Path
) -> None:
    code = f"""
import os
print(os.getpid(), flush=True)
here, there = os.pipe()
if os.fork():
    os._exit(3)
os.close(there)
os.read(here, 1)  # until the trainer is gone
os.remove({str(folder / "file")!r})
"""
    process = guarded(channel, folder, code)
    assert status_of(process, started(process)) == 3
    assert list(folder.iterdir()) == []


def test_what_a_guard_that_was_killed_itself_has_left_is_ended_with_its_group(
    channel: socket.socket, folder: Path
) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    process = guarded(channel, folder, code)
    left = os.pidfd_open(started(process))
    process.kill()
    assert spawning.ended(process) == spawning.ended(process) == -signal.SIGKILL
    assert select.select([left], [], [], LONG)[0]
    os.close(left)
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_is_removed_though_what_is_in_it_may_not_be_looked_into(folder: Path) -> None:
    inner = folder / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x", encoding="ascii")
    for each in (inner, inner.parent, folder):
        each.chmod(0)
    spawning.removed(folder)
    assert not folder.exists()


def test_what_is_said_is_cut_into_lines_and_the_last_are_remembered() -> None:
    said = Sayings("t")
    for data in (b"one\ntw", b"o\n\n", "\xe4".encode()[:1], b"\x80\nlast"):
        said.take(data)
    assert said.worth_repeating() == ["\xc0"]
    said.take(b"")
    assert said.worth_repeating() == ["last"]
    said.take(b"Fatal Python error: Aborted\nthread\n")
    assert said.worth_repeating() == ["Fatal Python error: Aborted"]


def test_of_a_flood_the_last_lines_are_shown_and_the_others_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = Sayings("t")
    with caplog.at_level(logging.INFO, "rxml.learning"):
        said.take(b"".join(b"%d\n" % at for at in range(1000)))
    messages = [each.message for each in caplog.records]
    assert len(messages) == 101
    assert messages[:2] == ["t: 900 lines that are not shown", "t: 900"]
    assert said.worth_repeating() == ["999"]
    for _ in range(9):
        said.take(b"x" * 2**16)
    assert said.worth_repeating() == ["x" * 1000]
