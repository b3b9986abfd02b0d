"""What holds for all partitions of a log: a small file beside them, written as a whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import msgspec

from rxml.errors import FactLogError, LogCorruptError, LogVersionError
from rxml.facts.database import explained

if TYPE_CHECKING:
    from pathlib import Path

FORMAT: Final = 1
_NAME: Final = "partitions.json"
_MOST: Final = 1000


class _Kept(msgspec.Struct):
    """What the file holds."""

    format: int
    partitions: int
    seed: int
    floor: int


@dataclass(slots=True)
class Settings:
    """How a log is partitioned.

    Attributes:
        directory: where the partitions are.
        partitions: how many.
        seed: of the hash, 0 <= seed < 2^64.
        floor: no smaller number may be given to a fact, whether or not those that had them are still there.
    """

    directory: Path
    partitions: int
    seed: int
    floor: int = 0

    @classmethod
    def of(cls, directory: Path, n: int | None, seed: int | None, *, read_only: bool) -> Self:
        """The directory's, or new ones.

        Raises:
            FactLogError: see `PartitionedLog`.
        """
        path = directory / _NAME
        with explained(path):
            kept = _read(path) if path.exists() else None
        if kept is not None:
            _require(directory, "partitions", n, kept.partitions)
            _require(directory, "seed", seed, kept.seed)
            return cls(directory, kept.partitions, kept.seed, kept.floor)
        return cls(directory, _checked(directory, n, seed, read_only=read_only), seed or 0)

    @property
    def paths(self) -> list[Path]:
        """Of the partitions, in order."""
        width = len(str(self.partitions - 1))
        return [self.directory / f"{at:0{width}}.db" for at in range(self.partitions)]

    def write(self) -> None:
        """Make the directory, and keep what is here in its file.

        Raises:
            FactLogError: it cannot be written.
        """
        kept = _Kept(FORMAT, self.partitions, self.seed, self.floor)
        path = self.directory / _NAME
        part = path.with_suffix(".part")
        with explained(path):
            self.directory.mkdir(parents=True, exist_ok=True)
            part.write_bytes(msgspec.json.encode(kept))
            part.replace(path)


def _read(path: Path) -> _Kept:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
    except msgspec.MsgspecError as error:
        raise LogCorruptError(f"{path} does not say how the log is partitioned: {error}") from error
    if kept.format > FORMAT:
        text = f"{path} has format {kept.format}, this rxml knows formats up to {FORMAT}"
        raise LogVersionError(f"{text}: upgrade rxml")
    return kept


def _require(directory: Path, name: str, given: int | None, kept: int) -> None:
    if given is not None and given != kept:
        text = f"{directory} has {name} {kept}, not {given}"
        raise FactLogError(f"{text}: every fact has its place by it; export, and import anew")


def _checked(directory: Path, n: int | None, seed: int | None, *, read_only: bool) -> int:
    if read_only or n is None:
        raise FactLogError(f"there is no partitioned log in {directory}: give n to make one")
    if not 1 <= n <= _MOST or not 0 <= (seed or 0) < 2**64:
        text = f"wants 1 to {_MOST} partitions and a seed of 64 bits"
        raise FactLogError(f"{text}, got n={n} and seed={seed}")
    return n
