"""Credit: the arithmetic of demand over a wire. Pure."""

from __future__ import annotations

from typing import Final

from rxml.errors import ProtocolError
from rxml.http.protocol import MOST

FRAME_BYTES: Final = 64 * 2**10
"""Bytes of elements that are taken from a flow at a time, learnt from the size of those before."""


_FIRST: Final = 64
"""Elements that are asked for before their size is known."""


def checked(n: int) -> int:
    """The demand n, if the rules admit it.

    Raises:
        ProtocolError: not 1 to 2^31 - 1 (Reactive Streams 3.9).
    """
    if not 1 <= n <= MOST:
        raise ProtocolError(f"demand must be 1 to {MOST}, got {n}")
    return n


class Credit:
    """How many elements may be sent. What has once been asked without a limit stays so.

    Attributes:
        left: elements that may be sent now.
        unbounded: 2^31 - 1 was asked at once.
    """

    __slots__ = ("left", "unbounded")

    def __init__(self) -> None:
        self.left: int = 0
        self.unbounded: bool = False

    def grant(self, n: int) -> None:
        """Add demand.

        Raises:
            ProtocolError: n is not 1 to 2^31 - 1, or the sum goes beyond (Reactive Streams 3.17).
        """
        if checked(n) == MOST or self.unbounded:
            self.unbounded = True
            self.left = MOST
            return
        if self.left + n > MOST:
            raise ProtocolError(f"demand of {self.left} and {n} more goes beyond {MOST}")
        self.left += n

    def spend(self, count: int) -> None:
        """Elements were sent, or came.

        Raises:
            ProtocolError: more than was asked for (Reactive Streams 1.1).
        """
        if count > self.left:
            raise ProtocolError(f"{count} elements came, {self.left} were asked for")
        if not self.unbounded:
            self.left -= count


class Refill:
    """When to ask for how many more: again when three quarters of what was asked for have come.

    Attributes:
        credit: what the other side may still send.
    """

    __slots__ = ("_portion", "credit")

    def __init__(self, max_bytes: int) -> None:
        self.credit: Credit = Credit()
        self._portion = Portion(max_bytes, start=_FIRST)

    def ask(self, wanted: int) -> int:
        """How many to ask for now, if `wanted` are wanted and not here; 0 for none yet.

        Never makes what is under way more than is wanted; asks for exactly what is wanted if nothing is under way.
        """
        wanted = min(wanted, MOST - 1, self._portion.most)
        left = self.credit.left
        if left > wanted // 4:
            return 0
        more = max(0, wanted - left)
        if more:
            self.credit.grant(more)
        return more

    def came(self, count: int, size: int) -> None:
        """Elements came in a message of `size` bytes.

        Raises:
            ProtocolError: more than were asked for.
        """
        self.credit.spend(count)
        self._portion.record(count, size)


class Portion:
    """How many elements are about as many bytes as wanted, learnt from those seen; at most twice as many as the last time,
    so that a few small ones before many large ones do little harm.

    Attributes:
        most: elements to take at a time, >= 1.
    """

    __slots__ = ("_bytes", "_mean", "most")

    def __init__(self, max_bytes: int = FRAME_BYTES, start: int = 1) -> None:
        self._bytes = max_bytes
        self._mean = 0.0
        self.most: int = start

    def record(self, count: int, size: int) -> None:
        """Learn from `count` elements of `size` bytes in all; growth at once, shrinking slowly."""
        if count < 1:
            return
        mean = size / count
        self._mean = mean if mean > self._mean else self._mean + 0.3 * (mean - self._mean)
        fits = int(self._bytes / max(1.0, self._mean))
        self.most = max(1, min(1024, 2 * self.most, fits))
