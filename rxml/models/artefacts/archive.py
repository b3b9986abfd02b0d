"""Archives: a ZIP is looked through before anything in it is unpacked."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from rxml.errors import ArtefactError

if TYPE_CHECKING:
    from rxml.models.artefacts.limits import Limits

_PACKED: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 0x1
_MEMBER: Final = b"PK\x01\x02"
"""Begins each entry of the list of members; in what they hold it comes by chance, once in four gigabytes."""


def opened(data: bytes, what: str, limits: Limits) -> zipfile.ZipFile:
    """The archive, if there is nothing wrong with the list of what it holds.

    The sizes that the list claims are kept by `zipfile`, which reads no more of a member than that: what is larger than
    it says fails its checksum.

    Args:
        data: the archive.
        what: it is, for errors: `the npz`.
        limits: of its content.

    Raises:
        ArtefactError: it is no archive, or damaged; it has too many members, or too much in them; a member is a link, is
            encrypted, is named twice, or has a name that leads out of the archive.
    """
    _check_count(
        data.count(_MEMBER), what, limits
    )  # `zipfile` makes objects of all before it can be asked
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise ArtefactError(f"{what} is no archive, or is cut off: {error}") from error
    expanded = sum(member.file_size for member in members)
    if expanded > limits.max_expanded:
        raise ArtefactError(
            f"{what} would unpack to {expanded:,} bytes, more than the {limits.max_expanded:,} allowed"
        )
    _check_members(members, what)
    return archive


def _check_count(count: int, what: str, limits: Limits) -> None:
    if count > limits.max_entries:
        raise ArtefactError(
            f"{what} has {count:,} members, more than the {limits.max_entries:,} allowed"
        )


def _check_members(members: list[zipfile.ZipInfo], what: str) -> None:
    seen: set[str] = set()
    for member in members:
        reason = _wrong(member, seen)
        if reason:
            raise ArtefactError(f"{what}: member {member.filename!r} {reason}")
        seen.add(member.filename)


def _wrong(member: zipfile.ZipInfo, seen: set[str]) -> str | None:
    """Why a member is refused."""
    name = member.filename
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        return "has a name that leads out of the archive"
    if name in seen:
        return "is there twice"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    return None if member.compress_type in _PACKED else "is packed in a way that models are not"


def member(archive: zipfile.ZipFile, name: str, what: str) -> bytes:
    """The bytes of a member.

    Raises:
        ArtefactError: it is damaged, or not what the list claims.
    """
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError) as error:
        raise ArtefactError(f"{what}: member {name!r} is damaged: {error}") from error
