"""PowerOfTwo: which member of a pool is asked next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

H = TypeVar("H")


class PowerOfTwo(Generic[H]):
    """Draws two members and takes the one with fewer calls under way (Mitzenmacher, 2001).

    Nearly as even as asking all of them, and, unlike always taking the least loaded, without a rush to the one that looked
    best a moment ago. Only members with calls under way take memory.
    """

    __slots__ = ("_loads",)

    def __init__(self) -> None:
        self._loads: dict[H, int] = {}

    def load(self, member: H) -> int:
        """Calls under way."""
        return self._loads.get(member, 0)

    def choose(self, members: Sequence[H], random: Random) -> H:
        """One of the members, which are hashable; of two that are equally loaded the first drawn.

        Raises:
            LookupError: there are none.
        """
        if not members:
            raise LookupError("PowerOfTwo wants at least one member to choose from, got none")
        if len(members) == 1:
            return members[0]
        first, second = random.sample(range(len(members)), 2)
        less = self.load(members[second]) < self.load(members[first])
        return members[second if less else first]

    def began(self, member: H) -> None:
        """A call to the member is under way."""
        self._loads[member] = self.load(member) + 1

    def ended(self, member: H) -> None:
        """A call to the member has ended, however.

        Raises:
            ValueError: none was under way.
        """
        left = self.load(member) - 1
        if left < 0:
            raise ValueError(f"no call to {member!r} is under way: `ended` was told twice")
        if left:
            self._loads[member] = left
        else:
            del self._loads[member]
