"""Heads: what a client says again, byte for byte, is not read again.

A client that keeps its connection sends the same head with each request of a kind. Parsing it costs more than all that is done
for a request that is refused; finding it among those that are known costs a tenth of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from rxml.http.lane import Lane

END: Final = b"\r\n\r\n"
"""Of a head."""

MOST: Final = 512
"""Heads that are known at a time: their lengths of bodies differ, too."""

LONGEST: Final = 2048
"""Bytes of one; a longer one is read each time."""


class Known(NamedTuple):
    """What a head says.

    Attributes:
        lane: that answers such a request.
        terms: what the lane has read in the head, see `Lane.read`.
        begin: of the body, in bytes.
        size: of head and body, in bytes.
    """

    lane: Lane
    terms: Any
    begin: int
    size: int


class Heads:
    """Those of plain requests that came last, of all connections of a server; the one known longest goes first."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, Known] = {}

    def __len__(self) -> int:
        return len(self._known)

    def find(self, data: bytes) -> Known | None:
        """What the head says, if it is known and its body follows it, and nothing more."""
        known = self._known.get(data[: data.find(END) + 4])
        return known if known is not None and known.size == len(data) else None

    def keep(self, data: bytes, lane: Lane, terms: Any, body: int) -> None:
        """Remember a head.

        Args:
            data: the whole request, as it came.
            lane: that answers it.
            terms: what that has read in the head.
            body: bytes at the end that are no head.
        """
        begin = len(data) - body
        if begin > LONGEST:
            return
        if len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[data[:begin]] = Known(lane, terms, begin, len(data))
