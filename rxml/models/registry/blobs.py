"""Blobs: bytes by what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rxml.errors import ArtefactError
from rxml.models.artefacts.digests import PREFIX, digest_of, require_digest
from rxml.models.artefacts.files import read_file
from rxml.models.registry.disk import sync_file, sync_folder, write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from rxml.models.artefacts.limits import Limits


class Blobs:
    """A folder of files that are named by the SHA-256 of what they hold.

    Args:
        folder: made when it is first written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Where a blob is, or would be.

        Raises:
            ArtefactError: it is no digest.
        """
        name = require_digest(digest).removeprefix(PREFIX)
        return self._folder / name[:2] / name

    def put(self, data: bytes) -> str:
        """Keep bytes; once this returns a crash does not lose them. Returns their digest.

        Raises:
            OSError: the disk is full, or cannot be written to.
        """
        digest = digest_of(data)
        path = self.path(digest)
        if self._whole(path, data):
            sync_file(path)  # whoever has put it there may not have come to that
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
        for folder in (path.parent, self._folder, self._folder.parent):
            sync_folder(folder)
        return digest

    def _whole(self, path: Path, data: bytes) -> bool:
        """Whether they are there already, and no damage was done to them."""
        return path.is_file() and not path.is_symlink() and path.read_bytes() == data

    def get(self, digest: str, size: int, limits: Limits) -> bytes:
        """The bytes, checked.

        Args:
            digest: theirs.
            size: in bytes.
            limits: of a model.

        Raises:
            ArtefactError: they are not there, or are not what they were.
        """
        path = self.path(digest)
        data = read_file(path, limits)
        if len(data) != size:
            raise ArtefactError(
                f"{path} has {len(data):,} bytes, not {size:,}: it is cut off or tampered with"
            )
        found = digest_of(data)
        if found != digest:
            raise ArtefactError(f"{path} has the digest {found}: it is damaged or tampered with")
        return data
