"""Gathered: the contexts of the elements in the state of a fold, until a result takes them along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rxml.flow.context_joining import NOTHING, Joint, settled_by, split

if TYPE_CHECKING:
    from rxml.flow.context import Context

_MANY: Final = 256
"""Contexts that are joined at once: a list of them is joined faster than one after the other."""


class Gathered:
    """The contexts of elements that have been taken in, and that no result has taken along yet.

    A result takes those of all elements that came since the one before it, joined, so that it answers for them; those of
    the newest elements, which the kernel still holds, wait for the result with which these leave it. Results that come
    at once answer for the same elements: one has ended when all of them have.

    All but the newest are one `Joint`, so that a fold over any number of elements keeps one reference for each whose
    context somebody waits for, and nothing for others.
    """

    __slots__ = ("_joint", "_newest")

    def __init__(self) -> None:
        self._joint = Joint()
        self._newest: list[Context] = []

    def add(self, context: Context, held: int) -> None:
        """The context of an element that was taken in; afterwards the kernel holds so many of the newest."""
        self._newest.append(context)
        if len(self._newest) >= held + _MANY:
            self._join(held)

    def results(self, made: int, held: int) -> list[Context]:
        """The contexts of one or more results, after which the kernel holds so many of the newest elements."""
        self._join(held)
        joint, self._joint = self._joint, Joint()
        whole = joint.context()
        if whole is NOTHING and self._newest:
            whole = settled_by(self._newest[-1], None)
        return split(whole, made)

    def clear(self) -> list[Context]:
        """All of them, none of which is kept."""
        everything = [self._joint.context(), *self._newest]
        self._joint, self._newest = Joint(), []
        return everything

    def _join(self, held: int) -> None:
        older = self._newest[: max(0, len(self._newest) - held)]
        if older:
            self._joint.extend(older)
            del self._newest[: len(older)]
