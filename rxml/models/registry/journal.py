"""Journal: the log of a registry's facts, one line of JSON each, and what they come to.

Why not a `FactLog`: that has one writer for as long as it is open, and here many processes write a line once in a
while. A file to which one whole line is appended under a lock needs no server and no recovery, is read without any
lock, and can be read by people. The lines are facts: `rxml facts import` takes them into a log.
"""

from __future__ import annotations

import os
import stat
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from rxml.errors import RegistryError, RegistryFormatError
from rxml.models.artefacts.files import read_file
from rxml.models.artefacts.limits import Limits
from rxml.models.registry.disk import explained, locked, sync_folder, write_all, write_whole
from rxml.models.registry.state import State, line_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rxml.models.registry.state import Event
    from rxml.models.registry.version import Loader

T = TypeVar("T")

FORMAT: Final = 1
"""Of registries. Raise it when an older rxml would misread a newer one."""

LONGEST: Final = 4 << 20
"""Bytes of a line; a signature of 10,000 features has half of that."""

MOST: Final = 1 << 30
"""Bytes of a log: a million versions."""

_LINES: Final = "facts.ndjson"
_LOCK: Final = "facts.lock"
_MARK: Final = "registry.json"


_SMALL: Final = Limits(max_bytes=1 << 12)


class _Mark(msgspec.Struct):
    """What the folder says of itself."""

    format: int


class Journal:
    """The facts in a folder. Any number of processes and threads read and write at once.

    Args:
        folder: made when it is first written to.
        loader: of the versions that there are.
    """

    def __init__(self, folder: Path, loader: Loader) -> None:
        self._folder = folder
        self._loader = loader
        self._path = folder / _LINES
        self._mutex = Lock()
        self._state: State = State(loader)
        self._offset = 0
        self._stamp: tuple[int, ...] = ()

    def read(self, look: Callable[[State], T]) -> T:
        """What `look` sees in the state as it is by now; of the log only what is new is read.

        Args:
            look: takes what it wants out of the state, which goes on changing.

        Raises:
            RegistryError: it cannot be read.
            RegistryFormatError: it is damaged, or a newer rxml has written it.
        """
        with self._mutex, explained(self._folder):
            return look(self._refreshed())

    def append(self, name: str, decide: Callable[[State], Event | None]) -> None:
        """Append what is decided on the state as it is at that moment; once this returns a crash does not lose it.

        Args:
            name: of the model that it is about.
            decide: gives what happens, or None for nothing; what it raises comes out, and nothing has happened.

        Raises:
            RegistryError: it cannot be written, or see `read`.
        """
        with self._mutex, explained(self._folder):
            self._found()
            with locked(self._folder / _LOCK):
                event = decide(self._refreshed())
                if event is not None:
                    self._write(line_of(name, event))

    def _found(self) -> None:
        """Make the folder, unless it is there."""
        if (self._folder / _MARK).exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        sync_folder(self._folder.parent)
        with locked(self._folder / _LOCK):
            if not (self._folder / _MARK).exists():
                write_whole(self._folder / _MARK, msgspec.json.encode(_Mark(FORMAT)) + b"\n")

    def _write(self, line: bytes) -> None:
        if len(line) > LONGEST:
            raise RegistryError(
                f"a version's manifest has {len(line):,} bytes, at most {LONGEST:,} are kept"
            )
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o644)
        try:
            # What a writer that died has left of its line is nobody's.
            os.ftruncate(descriptor, self._offset)
            self._append(descriptor, line)
        finally:
            os.close(descriptor)
        if not self._offset:
            sync_folder(self._folder)

    def _append(self, descriptor: int, line: bytes) -> None:
        try:
            write_all(descriptor, line)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, self._offset)
            raise

    def _refreshed(self) -> State:
        """Fold the whole lines that were not there before."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._check_mark()
            self._forget()
            return self._state
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        if stamp == self._stamp:
            return self._state
        if not self._stamp or self._stamp[0] != stamp[0] or status.st_size < self._offset:
            self._check_mark()
            self._forget()  # another file has taken its place, as when a copy is put back
        self._take(self._new())
        # While a line is half written the time of the file may stay as it is, and its size may come again.
        self._stamp = stamp if self._offset == status.st_size else (status.st_ino,)
        return self._state

    def _new(self) -> bytes:
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > MOST:
                raise RegistryFormatError(
                    f"{self._path} is no regular file of at most {MOST:,} bytes, so it is no registry's log"
                )
            file.seek(self._offset)
            return file.read(MOST)

    def _take(self, text: bytes) -> None:
        whole, newline, _ = text.rpartition(b"\n")
        if not newline:
            return
        try:
            for line in whole.split(b"\n"):
                self._state.fold(line)
        except RegistryFormatError:
            self._forget()
            raise
        self._offset += len(whole) + 1

    def _forget(self) -> None:
        self._state, self._offset, self._stamp = State(self._loader), 0, ()

    def _check_mark(self) -> None:
        """See that this rxml knows what it reads."""
        path = self._folder / _MARK
        written = (
            self._path.exists()
        )  # the mark is there before the first line, so this comes first
        if not path.exists():
            if written:
                raise RegistryFormatError(f"{path} is missing: {self._folder} is no registry")
            return
        try:
            found = msgspec.json.decode(read_file(path, _SMALL), type=_Mark)
        except msgspec.MsgspecError as error:
            raise RegistryFormatError(f"{path} is damaged: {error}") from error
        if found.format > FORMAT:
            raise RegistryFormatError(
                f"{self._folder} has format {found.format}, this rxml knows up to {FORMAT}: use a newer rxml"
            )
