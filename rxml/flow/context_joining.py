"""Joining and splitting contexts, so that each is settled exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rxml.flow.context import Context, Outcome, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOTHING: Final = Context()
"""Beside an element that came without a context, in a stream where others have one."""


def settled_by(context: Context, settle: Callable[[Outcome], None] | None) -> Context:
    """The same, with another one who is told how the element ended; or nobody."""
    return Context(context.fact_id, context.trace, context.deadline, context.priority, settle)


class Joint:
    """What is known of all elements that something is made of, joined as they come.

    Identity is that of the first, the deadline the nearest, the priority the highest. To settle each of them, one
    reference is kept for each that somebody waits for (8 bytes, beside what that one is itself); nothing for others.
    """

    __slots__ = ("_count", "_deadline", "_first", "_priority", "_waiting")

    def __init__(self) -> None:
        self._first = NOTHING
        self._count = 0
        self._deadline: float | None = None
        self._priority = 0
        self._waiting: list[Callable[[Outcome], None]] = []

    def extend(self, contexts: Sequence[Context]) -> None:
        """Join further ones, one or more."""
        if not self._count:
            self._first, self._priority = contexts[0], contexts[0].priority
        self._count += len(contexts)
        self._priority = max(self._priority, *(each.priority for each in contexts))
        known = [] if self._deadline is None else [self._deadline]
        known += [each.deadline for each in contexts if each.deadline is not None]
        self._deadline = min(known, default=None)
        self._waiting += [each.settle for each in contexts if each.settle is not None]

    def context(self) -> Context:
        """Stands for all: settling it settles each."""
        first = self._first
        if self._count < 2:
            return first
        settle = self._settle if self._waiting else None
        return Context(first.fact_id, first.trace, self._deadline, self._priority, settle)

    def _settle(self, outcome: Outcome) -> None:
        tell(self._waiting, outcome)


def joined(contexts: Sequence[Context]) -> Context:
    """The context of an element that was made of several, one or more: see `Joint`."""
    if len(contexts) == 1:
        return contexts[0]
    joint = Joint()
    joint.extend(contexts)
    return joint.context()


_RANKS: Final = {
    outcome: rank
    for rank, outcome in enumerate(
        (Outcome.DEAD_LETTERED, Outcome.ANSWERED, Outcome.SHED, Outcome.DROPPED)
    )
}
"""What an element came to that went several ways: the first of these that any of them came to.

A failure must not hide behind an answer, and one answer is an answer, whatever became of the other ways.
"""


class Tally:
    """Counts how the copies of an element end, made as they are needed; tells its context once, when all have ended."""

    __slots__ = ("_context", "_left", "_made", "_open", "_worst")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._made = self._left = 0
        self._open = True
        self._worst = Outcome.DROPPED

    def copies(self, count: int) -> list[Context]:
        """The contexts of so many further copies; not after `close`."""
        context = self._context
        if count and context.settle is not None:
            self._made += count
            self._left += count
            context = settled_by(context, self._ended)
        return [context] * count

    def rest(self, count: int) -> list[Context]:
        """The contexts of the last copies; of the only one, it is the context itself."""
        if count == 1 and not self._made:
            self._open = False
            return [self._context]
        contexts = self.copies(count)
        self.close()
        return contexts

    def close(self) -> None:
        """No copy follows: the element has ended when those that were made have; as dropped if there were none."""
        if self._open:
            self._open = False
            self._tell()

    def _ended(self, outcome: Outcome) -> None:
        if outcome is not self._worst:
            self._worst = min(self._worst, outcome, key=_RANKS.__getitem__)
        self._left -= 1
        self._tell()

    def _tell(self) -> None:
        if not self._open and not self._left:
            self._context.settled(self._worst)


def split(context: Context, copies: int) -> list[Context]:
    """The contexts of as many copies of an element; the given one is settled when all of them are."""
    if copies == 1:
        return [context]
    if copies:
        return Tally(context).rest(copies)
    context.settled(Outcome.DROPPED)
    return []
