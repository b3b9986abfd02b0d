"""Writing so that a crash at any moment leaves the old or the new, and nothing between."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING

from rxml.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_whole(path: Path, data: bytes) -> None:
    """Put a file in its place: written beside it, forced to the disk, and renamed."""
    beside = path.with_name(f".{token_hex(8)}.part")
    try:
        descriptor = os.open(beside, _NEW, 0o644)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(beside, path)  # noqa: PTH105 - one call that tests can stop at
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all bytes, in as many pieces as the system takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Force to the disk which files a folder has."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def sync_file(path: Path) -> None:
    """Force to the disk what a file has."""
    _sync(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold a lock against other processes and threads; the system lets go of it when the process is gone."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def explained(path: Path) -> Generator[None]:
    """Turns what the system says into an error of the registry."""
    try:
        yield
    except OSError as error:
        raise RegistryError(f"the registry {path} cannot be used: {error}") from error
