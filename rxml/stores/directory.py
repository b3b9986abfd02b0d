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
from rxml.stores.packing import decoded, encoded, packed, unpacked

if TYPE_CHECKING:
    from rxml.flow.checkpointing.store import Saved

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
        if keep < 1:
            raise ValueError(f"DirectoryStore(keep=) wants an int >= 1, got {keep!r}")
        self.path: Path = Path(path)
        self._keep = keep

    def encode(self, value: Any) -> bytes:
        """See `Store.encode`."""
        return encoded(value)

    def decode(self, data: bytes) -> Any:
        """See `Store.decode`."""
        return decoded(data, f"a part of a checkpoint in {self.path}")

    async def begin(self, pipeline: str) -> DirectorySession:
        """See `Store.begin`."""
        folder = self._folder(pipeline)
        token = token_hex(16)
        saved = await asyncio.to_thread(_explained, folder, lambda: _taken_over(folder, token))
        return DirectorySession(folder, token, saved, self._keep)

    async def forget(self, pipeline: str = "main") -> None:
        """Forget the checkpoints of a pipeline: it begins anew, as if it had never run."""
        folder = self._folder(pipeline)

        def forget() -> None:
            for path in _files(folder):
                path.unlink(missing_ok=True)

        await asyncio.to_thread(_explained, folder, forget)

    def _folder(self, pipeline: str) -> Path:
        return self.path / quote(pipeline, safe=" ").replace(".", "%2E")


class DirectorySession:
    """One run's hold on a pipeline (a `Session`)."""

    def __init__(self, folder: Path, token: str, saved: Saved | None, keep: int) -> None:
        self.saved: Saved | None = saved
        self._folder = folder
        self._token = token
        self._keep = keep

    async def commit(self, saved: Saved) -> None:
        """See `Session.commit`."""
        await asyncio.to_thread(_explained, self._folder, lambda: self._commit(saved))

    def _commit(self, saved: Saved) -> None:
        folder = self._folder
        if (folder / _OWNER).read_text() != self._token:
            raise CheckpointError(
                f"another run of the pipeline in {folder} has begun and goes on from the last checkpoint; this one ends"
            )
        _write(folder / f"{saved.number:012d}.rxck", packed(saved))
        for path in _files(folder)[self._keep :]:
            path.unlink(missing_ok=True)

    async def close(self) -> None:
        """See `Session.close`."""


def _taken_over(folder: Path, token: str) -> Saved | None:
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / _OWNER, token.encode())
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


def _write(path: Path, data: bytes) -> None:
    """The file with this content, or as it was before."""
    beside = path.with_suffix(".new")
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


def _explained(folder: Path, work: Any) -> Any:
    try:
        return work()
    except OSError as error:
        raise CheckpointError(
            f"checkpoints in {folder} cannot be read or written: {error.strerror or error}; what was there stays"
        ) from error
