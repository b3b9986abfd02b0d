"""Frames: answers in columns as frames of `rxml.v1+msgpack`, of which little but the columns is written anew each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rxml.wire.message import dumps, dumps_between

if TYPE_CHECKING:
    from rxml.batch import Batch

_FIELDS: Final = 4
"""Type, id, seq and items; those who made the answers come behind."""

_TEXT: Final = frozenset((str,))
_ITEMS: Final = dumps("items")


class Frames:
    """Writes the frames of one stream.

    Args:
        id_: of the stream.
    """

    __slots__ = ("_before", "_behind", "_maker")

    def __init__(self, id_: int) -> None:
        said = ("type", "next", "id", id_, "seq")
        self._before = b"".join(map(dumps, said))
        self._maker: dict[str, Any] = {}
        self._behind = b""

    def of(self, seq: int, items: Batch, maker: dict[str, Any]) -> bytes | None:
        """The frame that holds them.

        Args:
            seq: of the first row, >= 0.
            items: the answers.
            maker: who made them; at most 11 names.

        Returns:
            None: something else than text is told of who made them.

        Raises:
            WireError: the wire has no form for a column.
        """
        if not _TEXT.issuperset(map(type, maker.values())):
            return None
        if maker != self._maker:
            self._behind = b"".join(dumps(part) for pair in maker.items() for part in pair)
            self._maker = maker
        head = (0x80 | _FIELDS + len(maker)).to_bytes(1, "big")
        before = b"".join((head, self._before, b"\xcf", seq.to_bytes(8, "big"), _ITEMS))
        return dumps_between(before, items, self._behind)
