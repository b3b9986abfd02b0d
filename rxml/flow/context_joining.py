"""Joining and splitting contexts, so that each is settled exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rxml.flow.context import Context, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence


def joined(contexts: Sequence[Context]) -> Context:
    """The context of an element that was made of several: settling it settles each.

    Identity is that of the first, the deadline the nearest, the priority the highest.
    """
    first = contexts[0]
    if len(contexts) == 1:
        return first
    deadlines = [each.deadline for each in contexts if each.deadline is not None]
    waiting = [each for each in contexts if each.settle is not None]

    def settle(outcome: Outcome) -> None:
        for each in waiting:
            each.settled(outcome)

    return Context(
        fact_id=first.fact_id,
        trace=first.trace,
        deadline=min(deadlines, default=None),
        priority=max(each.priority for each in contexts),
        settle=settle if waiting else None,
    )


_WORST = (Outcome.DEAD_LETTERED, Outcome.ANSWERED, Outcome.SHED, Outcome.DROPPED)
"""What an element came to that went several ways: the first of these that any of them came to."""


class Share:
    """Counts how the copies of one element end; tells its context when all have ended."""

    __slots__ = ("_context", "_left", "_outcomes")

    def __init__(self, context: Context, copies: int) -> None:
        self._context = context
        self._left = copies
        self._outcomes: set[Outcome] = set()

    def settle(self, outcome: Outcome) -> None:
        """One copy has ended."""
        self._outcomes.add(outcome)
        self._left -= 1
        if self._left == 0:
            self._context.settled(next(each for each in _WORST if each in self._outcomes))


def split(context: Context, copies: int) -> list[Context]:
    """The contexts of as many copies of an element; the given one is settled when all of them are."""
    if context.settle is None or copies == 1:
        return [context] * copies
    return [_copy(context, share) for share in [Share(context, copies)] for _ in range(copies)]


def _copy(context: Context, share: Share) -> Context:
    return Context(
        fact_id=context.fact_id,
        trace=context.trace,
        deadline=context.deadline,
        priority=context.priority,
        settle=share.settle,
    )
