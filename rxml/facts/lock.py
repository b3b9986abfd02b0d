"""The writer's lock: one at a time, held until it is let go or its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from rxml.errors import LogLockedError

if TYPE_CHECKING:
    from pathlib import Path


class WriterLock:
    """An exclusive lock on a file beside the log; the system lets go of it when the process is gone.

    Args:
        path: of the log; the file has `.lock` behind its name and stays where it is.

    Raises:
        LogLockedError: another writer has it.
        OSError: the file cannot be made.
    """

    __slots__ = ("_descriptor",)

    def __init__(self, path: Path) -> None:
        name = path.with_name(path.name + ".lock")
        self._descriptor = -1
        self._descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._descriptor, 32).decode(errors="replace").strip()
            self.release()
            text = f"{path} has a writer already, process {holder or 'unknown'}"
            raise LogLockedError(
                f"{text}: a log has one at a time, and any number of readers"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another one write."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.release()
