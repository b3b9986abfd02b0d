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

_HALF: Final = MOST // 2

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
    """Those of plain requests that came last, of all connections of a server: at least the last 256 that were kept.

    There are two halves; when the newer one is full the older one goes at once, since taking single ones out of a mapping
    costs more than parsing does where no head comes again.
    """

    __slots__ = ("_newer", "_older")

    def __init__(self) -> None:
        self._newer: dict[bytes, Known] = {}
        self._older: dict[bytes, Known] = {}

    def __len__(self) -> int:
        return len(self._newer) + len(self._older)

    def find(self, data: bytes) -> Known | None:
        """What the head says, if it is known and its body follows it, and nothing more."""
        head = data[: data.find(END) + 4]
        known = self._newer.get(head)
        if known is None:
            known = self._older.pop(head, None)
            if known is None:
                return None
            self._add(head, known)
        return known if known.size == len(data) else None

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
        self._add(data[:begin], Known(lane, terms, begin, len(data)))

    def _add(self, head: bytes, known: Known) -> None:
        if len(self._newer) >= _HALF:
            self._older, self._newer = self._newer, {}
        self._newer[head] = known
