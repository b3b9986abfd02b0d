"""Outcome: what became of one fact that was given to the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from operator import index as as_index
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, overload

import numpy as np
from typing_extensions import override

from rxml.stores.packing import register_tuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Status: TypeAlias = Literal["stored", "duplicate", "rejected"]

STORED: Final = 0
DUPLICATE: Final = 1
REJECTED: Final = 2
_TUPLE: Final[Any] = tuple
_NAMES: Final[tuple[Status, ...]] = ("stored", "duplicate", "rejected")


class Outcome(NamedTuple):
    """What became of one fact.

    Attributes:
        status: "stored"; "duplicate" if its id was stored before, so that it was not stored again; or "rejected".
        offset: where the log has it; of a duplicate, the one stored before; None if it was rejected.
        reason: why it was rejected, else None.
    """

    status: Status
    offset: int | None
    reason: str | None


register_tuple(Outcome, "rxml.facts.Outcome")


class Outcomes(Sequence[Outcome]):
    """The outcomes of a batch, one a row, in order.

    Attributes:
        codes: uint8 of shape (n,): 0 stored, 1 duplicate, 2 rejected.
        offsets: int64 of shape (n,); -1 where rejected.
        reasons: why, by the row, for those that were rejected.
    """

    __slots__ = ("codes", "offsets", "reasons")

    codes: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    reasons: Mapping[int, str]

    def __init__(
        self, codes: NDArray[np.uint8], offsets: NDArray[np.int64], reasons: Mapping[int, str]
    ) -> None:
        self.codes = codes
        self.offsets = offsets
        self.reasons = reasons

    @property
    def stored(self) -> int:
        """How many were stored."""
        return int(np.count_nonzero(self.codes == STORED))

    @property
    def duplicates(self) -> int:
        """How many were stored before."""
        return int(np.count_nonzero(self.codes == DUPLICATE))

    @property
    def rejected(self) -> int:
        """How many are no facts."""
        return len(self.reasons)

    @override
    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice[Any, Any, Any]) -> Outcomes: ...
    @override
    def __getitem__(self, index: Any) -> Any:
        if not hasattr(index, "__index__"):
            return self._part(index)
        row = as_index(index)
        row = range(len(self))[row]
        offset = int(self.offsets[row])
        return Outcome(
            _NAMES[self.codes[row]], None if offset < 0 else offset, self.reasons.get(row)
        )

    def _part(self, where: slice[Any, Any, Any]) -> Outcomes:
        rows = range(len(self))[where] if self.reasons else ()
        reasons = {at: self.reasons[row] for at, row in enumerate(rows) if row in self.reasons}
        return Outcomes(self.codes[where], self.offsets[where], reasons)

    @override
    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.listed())

    def listed(self) -> list[Outcome]:
        """All of them."""
        codes: list[int] = self.codes.tolist()
        offsets: list[int | None] = self.offsets.tolist()
        for row in self.reasons:
            offsets[row] = None
        reasons: Any = map(self.reasons.get, range(len(codes))) if self.reasons else repeat(None)
        names = map(_NAMES.__getitem__, codes)
        # a tuple subclass made in C: a third of the time of calling the class for each
        made: Any = map(_TUPLE.__new__, repeat(Outcome), zip(names, offsets, reasons))  # noqa: B905
        return list(made)

    @override
    def __repr__(self) -> str:
        return f"Outcomes({self.stored} stored, {self.duplicates} duplicates, {self.rejected} rejected)"
