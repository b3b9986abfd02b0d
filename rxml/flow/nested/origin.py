"""Origin: the element that an inner stream is opened for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.flow.chunk import Chunk
from rxml.flow.context_joining import Tally, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.flow.context import Context


class Origin:
    """The element that an inner stream was opened for.

    Its context is settled once: when the stream is over and all results have ended, as `Tally` says.

    Attributes:
        element: the element.
        iterator: its results, if they can be had without waiting.
    """

    __slots__ = ("_tally", "element", "iterator")

    def __init__(self, element: Any, context: Context | None) -> None:
        self.element: Any = element
        self.iterator: Iterator[Any] | None = None
        self._tally = None if context is None else Tally(context)

    @property
    def known(self) -> bool:
        """Whether the element came with a context."""
        return self._tally is not None

    def chunk(
        self, elements: Any, contexts: list[Context] | None, *, last: bool = False
    ) -> Chunk[Any]:
        """Results with a copy of the context of the element, if it has one, joined with those that they have themselves.

        Args:
            elements: the results.
            contexts: what they come with.
            last: no other results follow.
        """
        tally = self._tally
        if tally is None:
            return Chunk(elements, contexts)
        copies = tally.rest(len(elements)) if last else tally.copies(len(elements))
        if contexts is not None:
            copies = [joined(pair) for pair in zip(copies, contexts, strict=True)]
        return Chunk(elements, copies)

    def copy(self) -> Context | None:
        """One more copy of the context, for what is neither a result nor nothing: a dead letter."""
        return None if self._tally is None else self._tally.copies(1)[0]

    def close(self) -> None:
        """Nothing more comes of the element."""
        if self._tally is not None:
            self._tally.close()
