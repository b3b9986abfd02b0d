"""DirectoryStore: checkpoints as files, for where SQLite cannot be."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from rxml.errors import CheckpointError, CheckpointVersionError
from rxml.flow.checkpointing.store import anything
from rxml.flow.scope import uninterrupted
from rxml.stores.checking import require_keep
from rxml.stores.ledger import forgotten, taken
from rxml.stores.packing import encoded, packed, parts_of, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rxml.flow.checkpointing.store import Admit, Saved

_LOG: Final = logging.getLogger("rxml.checkpointing")
_OWNER: Final = "owner"


class DirectoryStore:
    """Keeps each checkpoint in a file of its own, in a directory for each pipeline.

    A file is written beside its place, brought to the disk, and renamed: it is there as a whole or not at all. If the
    newest is damaged all the same, the run goes on from the one before, with a warning. No sink commits with it.

    Args:
        path: of the directory; it is made if there is none.
        keep: checkpoints of each pipeline that are kept, >= 1.

    Raises:
        ValueError: `keep` below 1.
    """

    def __init__(self, path: str | Path, *, keep: int = 3) -> None:
        require_keep("DirectoryStore", keep)
        self.path: Path = Path(path)
        self._keep = keep

    def encode(self, value: Any) -> bytes:
        """See `Store.encode`."""
        return encoded(value)

    async def begin(self, pipeline: str, admit: Admit = anything) -> DirectorySession:
        """See `Store.begin`."""
        session = DirectorySession(self._folder(pipeline), self._keep)
        await session.take_over(admit)
        return session

    async def forget(self, pipeline: str = "main") -> None:
        """Forget the checkpoints of a pipeline: it begins anew, as if it had never run.

        A run of it that goes on meanwhile ends with a CheckpointError.
        """
        folder = self._folder(pipeline)

        def forget() -> None:
            for path in (folder / _OWNER, *_files(folder)):
                path.unlink(missing_ok=True)

        await _worked(folder, forget)

    def _folder(self, pipeline: str) -> Path:
        return self.path / quote(pipeline, safe=" ").replace(".", "%2E")


class DirectorySession:
    """One run's hold on a pipeline (a `Session`).

    Args:
        folder: of the pipeline.
        keep: checkpoints that are kept.

    Attributes:
        saved: see `Session`.
        states: see `Session`.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self.saved: Saved | None = None
        self.states: Mapping[int, Any] = {}
        self._folder = folder
        self._token = token_hex(16)
        self._keep = keep

    async def take_over(self, admit: Admit) -> None:
        """Become the owner, unless the newest checkpoint is refused."""
        await _worked(self._folder, lambda: self._take_over(admit))

    def _take_over(self, admit: Admit) -> None:
        """What may be refused is looked at first; whoever had the pipeline may have stored one more until it was lost."""
        before = _files(self._folder)
        self._admit(admit)
        self._folder.mkdir(parents=True, exist_ok=True)
        _write(self._folder / _OWNER, self._token.encode(), self._token)
        for left in self._folder.glob("*.new"):  # by a process that died
            left.unlink(missing_ok=True)
        if _files(self._folder) != before:
            self._admit(admit)

    def _admit(self, admit: Admit) -> None:
        saved = _newest(self._folder)
        if saved is not None:
            self.states = parts_of(saved, f"checkpoint {saved.number} in {self._folder}")
            admit(saved, self.states)
        self.saved = saved

    async def commit(self, saved: Saved) -> None:
        """See `Session.commit`."""
        await _worked(self._folder, lambda: self._commit(saved))

    def _commit(self, saved: Saved) -> None:
        self._require_hold()
        try:
            _write(self._folder / f"{saved.number:012d}.rxck", packed(saved), self._token)
        except FileNotFoundError:
            self._require_hold()  # else whoever has it now has cleared away what was not done yet
            raise
        for path in _files(self._folder)[self._keep :]:
            path.unlink(missing_ok=True)

    def _require_hold(self) -> None:
        try:
            owner = (self._folder / _OWNER).read_text()
        except FileNotFoundError:
            raise forgotten(self._folder.name) from None
        if owner != self._token:
            raise taken(self._folder.name)

    async def close(self) -> None:
        """See `Session.close`."""


def _newest(folder: Path) -> Saved | None:
    """The newest checkpoint that can be read."""
    files = _files(folder)
    for place, path in enumerate(files):
        try:
            return unpacked(path.read_bytes(), str(path))
        except CheckpointVersionError:
            raise
        except CheckpointError as error:
            if place == len(files) - 1:
                raise
            _LOG.warning("%s; the run goes on from the checkpoint before", error)
    return None


def _files(folder: Path) -> list[Path]:
    """The checkpoints, the newest first."""
    return sorted(folder.glob("*.rxck"), reverse=True)


def _write(path: Path, data: bytes, token: str) -> None:
    """The file with this content, or as it was before; the token tells it from what others write at the same time."""
    beside = path.with_suffix(f".{token}.new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


async def _worked(folder: Path, work: Callable[[], None]) -> None:
    """Have a thread do some work, and wait until it has, even if this is cancelled: else it would meet the next."""
    worked = asyncio.to_thread(_explained, folder, work)
    await uninterrupted(worked, name=f"checkpoints in {folder.name}")


def _explained(folder: Path, work: Callable[[], None]) -> None:
    try:
        work()
    except OSError as error:
        raise CheckpointError(
            f"checkpoints in {folder} cannot be read or written: {error.strerror or error}; what was there stays"
        ) from error
