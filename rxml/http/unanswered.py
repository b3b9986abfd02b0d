"""Unanswered: elements that have gone up and whose results have not come down."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

from rxml.errors import ProtocolError, RemoteError
from rxml.flow.chunk import Chunk
from rxml.flow.context import Context, drop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.body import Outlet

MOST: Final = 1024
"""Elements that may be unanswered."""


@dataclass(slots=True)
class _Sent:
    """One element that has gone up, and why it was refused if it was."""

    item: Any
    context: Context | None
    error: Exception | None = None


class Unanswered:
    """Gives result i the context of element i.

    Args:
        outlet: takes results, and asks the supervisor about elements that are refused.
        aligned: there is one result for each element; if not, nothing is kept.
    """

    def __init__(self, outlet: Outlet[Any], *, aligned: bool) -> None:
        self._outlet = outlet
        self._aligned = aligned
        self._sent: deque[_Sent] = deque()
        self._first = 0
        self._cleared = 0

    @property
    def room(self) -> int:
        """Elements that may be added."""
        return MOST - len(self._sent)

    def add(self, chunk: Chunk[Any]) -> None:
        """Elements are about to go up."""
        if self._aligned:
            self._sent.extend(map(_Sent, chunk.elements, chunk.contexts or repeat(None)))
        else:
            drop(chunk.contexts or ())

    def answered(self, results: Sequence[Any], url: str) -> None:
        """Results came: hand them over.

        Raises:
            ProtocolError: more than elements have gone up.
        """
        if not self._aligned:
            self._outlet.channel.put(Chunk(results))
            return
        self._skip()
        at = 0
        while at < len(results):
            count = self._run(len(results) - at)
            if not count:
                raise ProtocolError(f"{url} sent a result more than it was sent elements")
            self._put(results[at : at + count], [self._pop().context for _ in range(count)])
            at += count
            self._skip()

    def _run(self, most: int) -> int:
        """How many of the first elements, at most `most`, were not refused."""
        count = 0
        for sent in self._sent:
            if count == most or sent.error is not None:
                break
            count += 1
        return count

    def _put(self, results: Sequence[Any], contexts: list[Context | None]) -> None:
        dated = any(context is not None for context in contexts)
        found = [context or Context() for context in contexts] if dated else None
        self._outlet.channel.put(Chunk(results, found))

    def _pop(self) -> _Sent:
        self._first += 1
        return self._sent.popleft()

    def rejected(self, number: int, error: RemoteError) -> None:
        """The element of that number was refused.

        Raises:
            Exception: what the supervisor says, once what came before it is answered.
            ProtocolError: it has not gone up.
        """
        if not self._aligned:
            raise error
        at = number - self._first
        if not 0 <= at < len(self._sent):
            raise ProtocolError(f"element {number} was refused, which is not under way")
        self._sent[at].error = error
        self._skip()

    def _skip(self) -> None:
        """Hear the supervisor about the first elements that were refused: nothing before them is open."""
        while self._sent and (error := self._sent[0].error) is not None:
            sent = self._pop()
            failure = self._outlet.failed(error, sent.item, sent.context)
            if failure is not None:
                raise failure

    def require_none(self, url: str, *, whole: bool) -> None:
        """The operator there has ended.

        Args:
            url: of it.
            whole: all elements there are had gone up.

        Raises:
            RemoteError: elements were not answered, or could not have been.
        """
        if self._aligned and (self._cleared or not whole):
            raise RemoteError(
                "short", f"{url} has ended before its elements had; {self._cleared} are unanswered"
            )

    def clear(self) -> None:
        """What is still under way ends as dropped."""
        sent, self._sent = self._sent, deque()
        self._cleared = len(sent)
        drop(each.context for each in sent)
