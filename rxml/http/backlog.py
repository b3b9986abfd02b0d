"""Backlog: how many connections the kernel keeps waiting at the port. Pure.

What comes when that is full is dropped, and whoever was dropped tries again after one second, then after two more, then four,
even if there was room at once. With a smaller number on a socket that listens already, that holds until fewer wait than that.
So it is as large as it can be until some have been kept out for longer than they may wait: then there is more than can be
done, and not for a moment, and whoever would be the last in a long row is better off elsewhere.
"""

from __future__ import annotations

from typing import Final

FEW: Final = 128
"""Once some have waited for too long."""


class Backlog:
    """Knows since when somebody has been kept out.

    Args:
        most: connections that may be open, >= 1.
        patience: seconds after which what has not been read is of no more use.

    Attributes:
        late: some have been kept out for longer than that, and not all of them were seen to yet.
    """

    __slots__ = ("_many", "_patience", "_since", "late")

    def __init__(self, most: int, patience: float) -> None:
        self._many = max(FEW, most)
        self._patience = patience
        self._since: float | None = None
        self.late: bool = False

    def size(self, *, narrowed: bool) -> int:
        """How many are to be kept waiting.

        Args:
            narrowed: fewer may be open than could be.
        """
        return FEW if narrowed and self.late else self._many

    def kept_out(self, now: float) -> None:
        """Some may wait, and are not taken, at a moment in seconds."""
        if self._since is None:
            self._since = now
        self.late = self.late or now - self._since > self._patience

    def empty(self) -> None:
        """Nobody waits any more."""
        self._since = None
        self.late = False
