"""A trainer's guard: `python guard.py CHANNEL FOLDER COMMAND...` runs a command, and leaves nothing of it behind.

It ends when the command does, with its status, or when its own standard input is closed: whoever asked is gone then, or does
not want it any more. Either way it first kills all that the command has started, wherever in the tree of processes that has gone
to hide: on Linux orphans of a guard come to it. If nobody is there any more, it removes the folder, too.

It knows nothing of rxml, and imports none of it, so that it is there at once and takes little memory.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

_PR_SET_CHILD_SUBREAPER: Final = 36
_LIFELINE: Final = 0
_MERCY: Final = 20
"""Rounds, 10 ms each, in which what a trainer has started may end by itself: Python's own helpers tidy up what is shared."""

_ROUNDS: Final = 500
"""Of all that, after which processes that do not die are given up."""


def main(arguments: list[str]) -> None:
    """Run the command, and end as it has ended."""
    channel, folder, *command = arguments
    _adopt_orphans()
    bell = _bell()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(int(channel),)).pid  # noqa: S603
    os.close(int(channel))
    status = _killed(child, bell, _watched(child, bell))
    if select.select([_LIFELINE], [], [], 0)[0]:
        shutil.rmtree(folder, ignore_errors=True)
    _end(status)


def _adopt_orphans() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _bell() -> int:
    """A pipe in which something lies when a process has ended. What a trainer says to its whole group ends no guard."""
    bell, rope = os.pipe()
    os.set_blocking(bell, False)
    os.set_blocking(rope, False)
    signal.set_wakeup_fd(rope, warn_on_full_buffer=False)
    for each in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, _heeded)
    return bell


def _heeded(number: int, frame: object) -> None:
    """The bell has rung."""
    del number, frame


def _watched(child: int, bell: int) -> int | None:
    """Wait until the child has ended: its status; None if the lifeline was cut before."""
    poll = select.poll()
    poll.register(_LIFELINE, select.POLLIN)
    poll.register(bell, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        if bell in ready:
            os.read(bell, 1 << 16)
        status = _reaped(child)
        if status is not None or _LIFELINE in ready:
            return status


def _reaped(child: int) -> int | None:
    """Take note of all that have ended; the status of the child, if it is among them."""
    status = None
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                status = os.waitstatus_to_exitcode(ended[1])
    return status


def _killed(child: int, bell: int, status: int | None) -> int:
    """Kill all there are, until nobody comes any more; the status of the child."""
    for turn in range(_ROUNDS):
        left = _children(child, status)
        if not left:
            break
        for each in left if turn >= _MERCY else {child}.intersection(left):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(each, signal.SIGKILL)
        if select.select([bell], [], [], 0.01)[0]:
            os.read(bell, 1 << 16)
        found = _reaped(child)
        status = found if status is None else status
    return -signal.SIGKILL if status is None else status


def _children(child: int, status: int | None) -> list[int]:
    try:
        listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:  # no Linux
        return [child] if status is None else []
    return [int(each) for each in listed.split()]


def _end(status: int) -> None:
    """Die as the child has died."""
    if status >= 0:
        os._exit(status)
    with suppress(OSError):  # of SIGKILL
        signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)


if __name__ == "__main__":
    main(sys.argv[1:])
