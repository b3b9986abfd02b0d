"""The writer's lock: one at a time, held until it is let go or its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from rxml.errors import LogLockedError

if TYPE_CHECKING:
    from pathlib import Path

_MADE: Final = b"made"
_HELD: Final[WeakSet[WriterLock]] = WeakSet()


class WriterLock:
    """An exclusive lock on a file beside the log; the system lets go of it when the process is gone.

    A process that is forked from this one does not have it, and does not keep it from others.

    Args:
        path: of the log; the file has `.lock` behind its name and stays where it is. Links to one log have one lock.

    Raises:
        LogLockedError: another writer has it.
        OSError: the file cannot be made.
    """

    __slots__ = ("__weakref__", "_descriptor")

    def __init__(self, path: Path) -> None:
        self._descriptor = -1
        self._descriptor = os.open(_beside(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        held = os.read(self._descriptor, 64)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = held.decode(errors="replace").partition("\n")[0].strip()
            self.release()
            text = f"{path} has a writer already, process {holder or 'unknown'}"
            raise LogLockedError(
                f"{text}: a log has one at a time, and any number of readers"
            ) from None
        self._write(made=_MADE in held)
        _HELD.add(self)

    def _write(self, *, made: bool) -> None:
        text = b"%d\n%s" % (os.getpid(), _MADE + b"\n" if made else b"")
        os.pwrite(self._descriptor, text, 0)
        os.ftruncate(self._descriptor, len(text))

    def remember(self) -> None:
        """There is a log at the path now; an empty file there is a truncated one from now on."""
        self._write(made=True)

    def release(self) -> None:
        """Let another one write."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.release()


def was_made(path: Path) -> bool:
    """Whether somebody has written to a log at the path, be it there or not."""
    try:
        return _MADE in _beside(path).read_bytes()
    except FileNotFoundError:
        return False


def _beside(path: Path) -> Path:
    real = path.resolve()
    return real.with_name(real.name + ".lock")


def _leave_to_parent() -> None:
    """In a forked process: the lock is the parent's, and shall go with it."""
    for lock in list(_HELD):
        lock.release()


os.register_at_fork(after_in_child=_leave_to_parent)
