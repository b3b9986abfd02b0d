"""Reading a model's file: a regular one, no link, no larger than it may be."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from rxml.errors import ArtefactError

if TYPE_CHECKING:
    from pathlib import Path

    from rxml.models.artefacts.limits import Limits

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""A link is not followed, and a pipe that nobody writes to does not keep us waiting."""


def read_file(path: Path, limits: Limits) -> bytes:
    """All bytes of a file.

    Args:
        path: its last part must be no symbolic link.
        limits: `max_bytes` is what counts.

    Raises:
        ArtefactError: it is not there, is no regular file, is too large, or changes while it is read.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ArtefactError(f"{path} is a symbolic link: give the file itself") from error
        raise ArtefactError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return _content(descriptor, path, limits)
    finally:
        os.close(descriptor)


def _content(descriptor: int, path: Path, limits: Limits) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise ArtefactError(f"{path} is no regular file, so it is no model")
    check_size(status.st_size, str(path), limits)
    with os.fdopen(os.dup(descriptor), "rb") as file:
        data = file.read(status.st_size + 1)
    if len(data) != status.st_size:
        raise ArtefactError(f"{path} was changed while it was read: try again")
    return data


def check_size(size: int, what: str, limits: Limits) -> None:
    """Refuse what is empty or too large.

    Raises:
        ArtefactError: it is.
    """
    if size == 0:
        raise ArtefactError(f"{what} is empty")
    if size > limits.max_bytes:
        raise ArtefactError(
            f"{what} has {size:,} bytes, more than the {limits.max_bytes:,} that a model may have"
        )
