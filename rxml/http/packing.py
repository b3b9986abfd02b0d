"""Packing: elements into `next` frames that fit a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rxml.batch import Batch
from rxml.flow.buffers.weigh import weigh
from rxml.http.credit import FRAME_BYTES, Portion

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from rxml.http.codec import Codec

_SAMPLE: Final = 8
_HEAVY: Final = 8 * FRAME_BYTES
"""Bytes in memory above which elements are encoded in parts; small ones weigh several times what they take on the wire."""


class OversizeError(Exception):
    """An element that no message holds; its text says how large it is."""


class Packing:
    """The frames of one stream, in order.

    Args:
        id_: of the stream.
        codec: writes them.
        most: bytes of one message.

    Attributes:
        portion: how many elements to take at a time, learnt from those seen.
    """

    def __init__(self, id_: int, codec: Codec, most: int) -> None:
        self._id = id_
        self._codec = codec
        self._most = most
        self._seq = 0
        self.portion: Portion = Portion()

    async def send(
        self, elements: Sequence[Any], write: Callable[[bytes], Awaitable[None]]
    ) -> None:
        """Send elements in frames; one is halved if a message does not hold it, or if one of its elements has no form.

        Args:
            elements: one or more.
            write: takes a message; waits until there is room for more.

        Raises:
            OversizeError: one alone is larger than a message.
            TypeError: JSON has no form for one; msgpack: WireError.
        """
        at, count = 0, len(elements)
        step = min(count, self._fitting(elements))
        while at < count:
            items = elements[at : at + step]
            data = self._encoded(items if isinstance(items, list | Batch) else list(items))
            if data is None:
                step = max(1, min(step // 2, self.portion.most))
                continue
            self.portion.record(len(items), len(data))
            at += len(items)
            self._seq += len(items)
            await write(data)

    def _fitting(self, elements: Sequence[Any]) -> int:
        """How many of them to encode at once: what some of them weigh tells before they are encoded."""
        count = len(elements)
        some = elements if isinstance(elements, Batch) else elements[:: count // _SAMPLE + 1]
        weight = weigh(some) * count // len(some)
        return count if weight <= _HEAVY else max(1, count * FRAME_BYTES // weight)

    def _encoded(self, items: Sequence[Any]) -> bytes | None:
        """The frame; None if it is to be halved."""
        try:
            data = self._codec.next(self._id, self._seq, items)
        except (TypeError, ValueError, OverflowError, RecursionError):
            if len(items) == 1:
                raise
            return None
        if len(data) <= self._most:
            return data
        self.portion.record(len(items), len(data))
        if len(items) == 1:
            message = f"an element has {len(data)} bytes, a message at most {self._most}"
            raise OversizeError(message)
        return None
