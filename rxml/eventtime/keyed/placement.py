"""Placement: where a chunk's elements have their state, and what it takes to undo that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

TTL: Final = "ttl"
MAX_KEYS: Final = "max_keys"


@dataclass(slots=True)
class Placement:
    """The slots of a chunk's elements. An element that finds its key's state given up is in another slot than those before it.

    Attributes:
        codes: the slot of each element, shape (n,).
        fresh: the slots whose state begins with this chunk.
        retired: the slots whose state was given up for this chunk, in the order in which that happened.
        reasons: why, for each of these.
        before: slots known before, with their ages and turns then.
        keys: of the elements, if somebody asks.
    """

    codes: NDArray[np.intp]
    fresh: list[int]
    retired: list[int] = field(default_factory=list[int])
    reasons: list[str] = field(default_factory=list[str])
    before: tuple[NDArray[np.intp], NDArray[Any], NDArray[Any]] | None = None
    keys: Sequence[Any] | NDArray[Any] = ()

    def retire(self, slot: int, reason: str) -> None:
        """Note that a slot's state was given up."""
        self.retired.append(slot)
        self.reasons.append(reason)
