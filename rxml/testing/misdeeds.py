"""Misdeeds: sources that break the rules, to see what operators make of it."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from rxml.flow.chunk import END, Chunk
from rxml.flow.kinds import source
from rxml.testing.timeline import Kind, Timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.flowable import Flowable


_MORE: Final = 4  # so that whoever asks for ever after the end comes to another


class Misdeed(Enum):
    """What a source that does not comply does."""

    OVER_EMITS = "gives one element more than was asked for"
    EMPTY_CHUNKS = "gives chunks that carry nothing, three between any two elements"
    ELEMENTS_WITH_END = "gives its last elements in the chunk that ends the stream"
    DATA_AFTER_END = "gives more elements after the end"
    ERROR_AFTER_END = "fails after it has ended"
    FAILS_TWICE = "fails, and then fails again with another error"
    CANCEL_RAISES = "raises when it is cancelled"
    DEAF = "takes no notice of being cancelled and answers all the same"
    SLOW_CANCEL = "takes a second to be cancelled"


def non_compliant(
    elements: Sequence[Any], misdeed: Misdeed, *, timeline: Timeline | None = None
) -> Flowable[Any]:
    """A source of these elements that breaks one rule.

    Args:
        elements: what it gives, apart from its misdeed; one chunk for each request.
        misdeed: which rule it breaks.
        timeline: where to note what was asked of it, as "source"; a new one if not given.
    """
    log = Timeline() if timeline is None else timeline
    return source(
        f"non-compliant ({misdeed.value})",
        lambda _env, _node: _Culprit(list(elements), misdeed, log),
    )


class _Culprit:
    """A subscription without the rules that `Stage` keeps."""

    def __init__(self, elements: list[Any], misdeed: Misdeed, timeline: Timeline) -> None:
        self._rest = elements
        self._misdeed = misdeed
        self._timeline = timeline
        self._idle = 0
        self._over = 0
        self._cancelled = False

    async def request(self, n: int) -> Chunk[Any]:
        self._timeline.add("source", Kind.REQUEST, n)
        if self._cancelled and self._misdeed is not Misdeed.DEAF:
            return END
        if not self._rest:
            return self._end()
        if self._misdeed is Misdeed.EMPTY_CHUNKS and self._idle < 3:
            self._idle += 1
            return Chunk([])
        self._idle = 0
        return self._next(n)

    def _next(self, n: int) -> Chunk[Any]:
        count = n + 1 if self._misdeed is Misdeed.OVER_EMITS else n
        taken, self._rest = self._rest[:count], self._rest[count:]
        if self._misdeed is Misdeed.ELEMENTS_WITH_END and not self._rest:
            return Chunk(taken, end=True)
        return Chunk(taken)

    def _end(self) -> Chunk[Any]:
        self._over += 1
        if self._misdeed is Misdeed.FAILS_TWICE:
            raise ValueError(f"failure number {self._over}")
        if 1 < self._over <= _MORE and self._misdeed is Misdeed.DATA_AFTER_END:
            return Chunk(["after the end"])
        if self._over > 1 and self._misdeed is Misdeed.ERROR_AFTER_END:
            raise ValueError("after the end")
        return END

    async def cancel(self) -> None:
        self._timeline.add("source", Kind.CANCEL)
        self._cancelled = True
        if self._misdeed is Misdeed.SLOW_CANCEL:
            await asyncio.sleep(1.0)
        if self._misdeed is Misdeed.CANCEL_RAISES:
            raise ValueError("a misdeed: cancel raised")
