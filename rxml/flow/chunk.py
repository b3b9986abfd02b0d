"""Chunk: what one request returns."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.context import Context

T_co = TypeVar("T_co", covariant=True)

FOREVER: Final = (1 << 63) - 1
"""The watermark behind which nothing follows, ever: what the end of a stream stands for (int64 ns UTC)."""

UNBOUNDED: Final = sys.maxsize
"""Demand without a limit (2^63 - 1, rule 3.17): as much as is ready, chunk by chunk."""

CHUNK: Final = 1024
"""Elements that a synchronous source makes at most for one request."""


class Chunk(Generic[T_co]):
    """Elements in order, then the signals that follow them.

    Args:
        elements: a list or a `Batch` (its rows are the elements).
        contexts: what travels beside the elements, one each, or None when nothing does.
        watermark: no element with an event time before it follows (int64 ns UTC), or None.
        barrier: the number of the snapshot that is taken here, or None.
        idle: True if no elements are to be expected for now, so that others need not wait for this stream's watermark;
            False with the first watermark after that; else None.
        end: nothing follows; an ending chunk has no elements.
    """

    __slots__ = ("barrier", "contexts", "elements", "end", "idle", "watermark")

    def __init__(
        self,
        elements: Sequence[T_co],
        contexts: list[Context] | None = None,
        *,
        watermark: int | None = None,
        barrier: int | None = None,
        idle: bool | None = None,
        end: bool = False,
    ) -> None:
        self.elements: Sequence[T_co] = elements
        self.contexts: list[Context] | None = contexts
        self.watermark: int | None = watermark
        self.barrier: int | None = barrier
        self.idle: bool | None = idle
        self.end: bool = end

    def __len__(self) -> int:
        return len(self.elements)

    @override
    def __repr__(self) -> str:
        signals = [f"{name}={value}" for name, value in self.signals().items()]
        return f"Chunk({', '.join([repr(self.elements), *signals])})" if not self.end else "END"

    @property
    def signalled(self) -> bool:
        """True if a signal follows the elements."""
        return self.watermark is not None or self.barrier is not None or self.idle is not None

    def signals(self) -> dict[str, Any]:
        """The signals that follow the elements, by name: arguments for another Chunk."""
        found = {"watermark": self.watermark, "barrier": self.barrier, "idle": self.idle}
        return {name: value for name, value in found.items() if value is not None}

    def part(self, start: int, stop: int) -> Chunk[T_co]:
        """The elements from `start` up to `stop`, exclusive; the last part has the signals."""
        contexts = self.contexts
        signals = self.signals() if stop >= len(self.elements) else {}
        return Chunk(
            self.elements[start:stop], None if contexts is None else contexts[start:stop], **signals
        )

    def split(self, n: int) -> tuple[Chunk[T_co], Chunk[T_co]]:
        """The first n elements, and the rest with the signals."""
        return self.part(0, n), self.part(n, len(self.elements))


END: Final[Chunk[Any]] = Chunk((), end=True)
