"""Isolation: a batch that fails is parted until the bad row stands alone, and the others are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rxml.models.scoring.waiting import Ask

_LEAST: Final = 5
"""Failures for which even a small batch is good: so many part one of three to the last."""


class Trial:
    """What is known of the parts of a batch that has failed.

    While no part has succeeded it may be the model that is broken, and not a row: a single bad row is alone after log2(n)
    failures, and then as many again are spent on rows from elsewhere.

    Args:
        rows: of the batch.

    Attributes:
        proven: a part has succeeded.
    """

    __slots__ = ("_alone", "_left", "proven")

    def __init__(self, rows: int) -> None:
        self._left = max(_LEAST, 2 * rows.bit_length() - 1)
        self._alone = min(rows, 3)  # rows by themselves that fail, too, until the model is to blame
        self.proven: bool = False

    def succeeded(self) -> None:
        """A part was scored: the model works."""
        self.proven = True

    def failed(self, rows: int) -> None:
        """A part of so many was not."""
        self._left -= 1
        self._alone -= rows == 1

    @property
    def hopeless(self) -> bool:
        """Whether the model is to blame."""
        return not self.proven and self._left <= 0 and self._alone <= 0


class Group:
    """Elements that are sent together.

    Attributes:
        asks: one or more.
        trial: of the batch that this is a part of; None: it is whole.
    """

    __slots__ = ("asks", "trial")

    def __init__(self, asks: list[Ask], trial: Trial | None = None) -> None:
        self.asks: list[Ask] = asks
        self.trial: Trial | None = trial

    def halves(self) -> tuple[Group, Group]:
        """Two parts of two or more."""
        middle = len(self.asks) // 2
        return Group(self.asks[:middle], self.trial), Group(self.asks[middle:], self.trial)
