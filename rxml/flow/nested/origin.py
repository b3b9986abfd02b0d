"""Origin: the element that an inner stream is opened for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.flow.chunk import Chunk
from rxml.flow.context import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.flow.context import Context


class Origin:
    """The element that an inner stream was opened for.

    Attributes:
        element: the element.
        context: what travels beside it, and then beside its results.
        results: how many it has brought about so far.
        iterator: its results, if they can be had without waiting.
    """

    __slots__ = ("context", "element", "iterator", "results")

    def __init__(self, element: Any, context: Context | None) -> None:
        self.element = element
        self.context = context
        self.results = 0
        self.iterator: Iterator[Any] | None = None

    def chunk(self, elements: Any, contexts: list[Context] | None) -> Chunk[Any]:
        """Results with the context of the element, if it has one, else with their own."""
        self.results += len(elements)
        return Chunk(elements, contexts if self.context is None else [self.context] * len(elements))

    def close(self) -> None:
        """Nothing more comes of the element."""
        if self.context is not None and not self.results:
            self.context.settled(Outcome.DROPPED)
