"""Rising: watermarks that never go back, where one flow follows another."""

from __future__ import annotations

from typing import Any

from rxml.flow.chunk import Chunk


class Rising:
    """Lets watermarks pass that are higher than all before."""

    __slots__ = ("_highest",)

    def __init__(self) -> None:
        self._highest: int | None = None

    def snapshot(self) -> int | None:
        """The highest watermark so far."""
        return self._highest

    def restore(self, state: int | None) -> None:
        """Go on from a snapshot."""
        self._highest = state

    def passed(self, chunk: Chunk[Any]) -> Chunk[Any] | None:
        """The chunk, without a watermark that is not new; None if nothing else was in it."""
        watermark = chunk.watermark
        if watermark is None:
            return chunk
        if self._highest is None or watermark > self._highest:
            self._highest = watermark
            return chunk
        signals = {name: value for name, value in chunk.signals().items() if name != "watermark"}
        if not signals and not len(chunk.elements):
            return None
        return Chunk(chunk.elements, chunk.contexts, **signals)
