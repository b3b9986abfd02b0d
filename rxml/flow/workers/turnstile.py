"""Turnstiles: the order in which results leave a stage that works on several elements at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.chunk import Chunk
from rxml.flow.combining.align import Fences
from rxml.flow.context import Context

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Hashable


class Progress(Enum):
    """How far an element has come."""

    RUNNING = "running"
    DONE = "done"
    LEFT_OUT = "left out"
    FAILED = "failed"


RUNNING, DONE, LEFT_OUT, FAILED = Progress
"""By their own names, since they are looked up for each element."""


class Entry:
    """An element that is worked on.

    Attributes:
        item: the element; once it is done, its result; if it has failed, its error.
        context: what travels beside it; None once the element has failed, and has been dealt with.
        progress: how far it has come.
        key: elements of one key are worked on one after the other (unset if there are no keys).
        fence: where it stands among the signals (unset if elements cannot overtake).
        worker: the task that works on it now.
    """

    __slots__ = ("context", "fence", "item", "key", "progress", "worker")
    key: Hashable
    fence: Any

    def __init__(self, item: Any, context: Context | None) -> None:
        self.item: Any = item
        self.context: Context | None = context
        self.progress: Progress = RUNNING
        self.worker: asyncio.Task[None] | None = None


class Turnstile(ABC):
    """Holds elements from the time they come in until their results are taken.

    Attributes:
        held: how many.
        dated: true once an element has come in that has a context.
        shut: true while no element may come in.
        error: what follows everything that could be taken.
    """

    def __init__(self) -> None:
        self.held: int = 0
        self.dated: bool = False
        self.shut: bool = False
        self.error: Exception | None = None

    @abstractmethod
    def enter(self, entries: list[Entry], *, dated: bool) -> None:
        """Let elements in; `dated` tells whether they have contexts."""

    @abstractmethod
    def put(self, signals: dict[str, Any]) -> None:
        """Let signals in, behind the elements so far."""

    @abstractmethod
    def finish(self, entry: Entry) -> bool:
        """The element is done or left out; returns True if there may be something to take. One that was cut is ignored."""

    @abstractmethod
    def cut(self, failed: Entry) -> list[Entry]:
        """The element has failed: returns those that cannot come out any more, which are forgotten."""

    @abstractmethod
    def clear(self) -> list[Entry]:
        """Nobody takes anything any more: returns all that are held, which are forgotten."""

    @abstractmethod
    def take(self, n: int) -> Chunk[Any]:
        """Up to n results, or none; sets `error` where nothing can follow."""


class InOrder(Turnstile):
    """Results leave in the order in which the elements came in."""

    held: int
    dated: bool
    error: Exception | None

    def __init__(self) -> None:
        super().__init__()
        self._row: deque[Any] = deque()  # entries, and signals as dicts

    @override
    def enter(self, entries: list[Entry], *, dated: bool) -> None:
        self.held += len(entries)
        self.dated = self.dated or dated
        self._row.extend(entries)

    @override
    def put(self, signals: dict[str, Any]) -> None:
        last: Any = self._row[-1] if self._row else None
        if last.__class__ is dict and "barrier" not in last:
            last.update(signals)
        elif signals:
            self._row.append(signals)

    @override
    def finish(self, entry: Entry) -> bool:
        return bool(self._row) and self._row[0] is entry

    @override
    def cut(self, failed: Entry) -> list[Entry]:
        gone: list[Entry] = []
        while self._row and (last := self._row[-1]) is not failed:
            self._row.pop()
            if isinstance(last, Entry):
                gone.append(last)
        self.held -= len(gone)
        return gone

    @override
    def clear(self) -> list[Entry]:
        row, self._row, self.held = self._row, deque(), 0
        return [each for each in row if isinstance(each, Entry)]

    @override
    def take(self, n: int) -> Chunk[Any]:
        out: list[Any] = []
        contexts: list[Context] | None = [] if self.dated else None
        row = self._row
        while row and len(out) < n:
            first = row[0]
            if first.__class__ is dict:
                row.popleft()
                return Chunk(out, contexts, **first)
            if first.progress is RUNNING:
                break
            if first.progress is FAILED:
                self.error = first.item
                break
            row.popleft()
            self.held -= 1
            if first.progress is DONE:
                out.append(first.item)
                if contexts is not None:
                    contexts.append(first.context or Context())
        return Chunk(out, contexts)


class AsTheyCome(Turnstile):
    """Results leave in the order in which they are done. Watermarks wait for the elements before them; a barrier also
    keeps out those behind it.
    """

    held: int
    dated: bool
    shut: bool
    error: Exception | None

    def __init__(self) -> None:
        super().__init__()
        self._running: set[Entry] = set()
        self._done: deque[Entry] = deque()
        self._fences = Fences()
        self._failure: Exception | None = None

    @override
    def enter(self, entries: list[Entry], *, dated: bool) -> None:
        self.held += len(entries)
        self.dated = self.dated or dated
        self._running.update(entries)
        for entry in entries:
            entry.fence = self._fences.enter()

    @override
    def put(self, signals: dict[str, Any]) -> None:
        self._fences.put(signals)
        self.shut = self._fences.shut

    @override
    def finish(self, entry: Entry) -> bool:
        if entry not in self._running:
            return False
        self._running.remove(entry)
        self._done.append(entry)
        return True

    @override
    def cut(self, failed: Entry) -> list[Entry]:
        self._running.discard(failed)
        gone, self._running = list(self._running), set()
        self.held -= len(gone)
        self._failure = failed.item
        return gone

    @override
    def clear(self) -> list[Entry]:
        held = [*self._done, *self._running]
        self._done, self._running, self.held = deque(), set(), 0
        return held

    @override
    def take(self, n: int) -> Chunk[Any]:
        out: list[Any] = []
        contexts: list[Context] | None = [] if self.dated else None
        while self._done and len(out) < n:
            entry = self._done.popleft()
            self.held -= 1
            self._fences.leave(entry.fence)
            if entry.progress is DONE:
                out.append(entry.item)
                if contexts is not None:
                    contexts.append(entry.context or Context())
        signals = self._fences.due()
        self.shut = self._fences.shut
        if not self._done:
            self.error = self._failure
        return Chunk(out, contexts, **signals)
