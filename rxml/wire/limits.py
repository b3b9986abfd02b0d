"""What a message may ask of the one who reads it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

DEEPEST: Final = 128  # the reader recurses; at this depth it still fits Python's default stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Upper bounds, checked before anything is allocated for what they bound.

    An empty map is one byte on the wire and some 70 in memory, so bytes alone bound little: a message takes
    at most about 80 bytes for each container and each item it may hold, beside its own length.

    Attributes:
        max_bytes: of the whole message.
        max_depth: of containers and extensions in one another; 1 to 128.
        max_items: values in all containers together, keys and the strings of text columns included, and
            elements of arrays that no byte stands behind, such as rows of shape (0,).
        max_containers: arrays, maps and batches.
        max_str: bytes of one string in UTF-8, numpy's text scalars among them.
        max_bin: bytes of one binary value, numpy's scalars of bytes among them.
        max_ext: bytes of one extension value, such as an array or a batch.
        max_unsalted_keys: keys of one map that are neither str nor bytes. Python hashes numbers without a
            secret, so whoever chooses many can make them collide, and the map take quadratic time.

    Raises:
        ValueError: a limit is not a positive int, or the depth is above 128.
    """

    max_bytes: int = 16 * 2**20
    max_depth: int = 32
    max_items: int = 1_000_000
    max_containers: int = 100_000
    max_str: int = 2**20
    max_bin: int = 16 * 2**20
    max_ext: int = 16 * 2**20
    max_unsalted_keys: int = 1024

    def __post_init__(self) -> None:
        """Check every limit."""
        for field in fields(self):
            limit = getattr(self, field.name)
            if type(limit) is not int or limit < 1:
                raise ValueError(f"{field.name} is {limit!r}: it must be a positive int")
        if self.max_depth > DEEPEST:
            raise ValueError(f"max_depth is {self.max_depth}: it must be at most {DEEPEST}")
