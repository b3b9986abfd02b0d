"""Sending: answers of a stream of `rxml.v1`, in their order, as frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.batch import Batch
from rxml.errors import WireError
from rxml.http.encode import to_json, to_msgpack
from rxml.http.predict.answers import parted, prediction, refusal_of
from rxml.http.predict.frames import Frames
from rxml.http.protocol import Reject
from rxml.http.replies import Refusal
from rxml.models.prediction import Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.http.codec import Codec
    from rxml.http.credit import Credit
    from rxml.http.link import Link
    from rxml.http.predict.lineup import Slot
    from rxml.http.serving import Serving


class Sending:
    """Rows go together in a frame; a batch goes as a batch; what failed is rejected by its number.

    Args:
        id_: of the stream.
        wanted: answers that the client has asked for.
        ends: the link to the client, the codec of its sub-protocol, and the limits.
    """

    def __init__(self, id_: int, wanted: Credit, ends: tuple[Link, Codec, Serving]) -> None:
        self._id = id_
        self._wanted = wanted
        self._link, self._codec, serving = ends
        self._limits = serving.limits
        self._write = to_json if self._codec.text else to_msgpack
        self._frames = Frames(id_)
        self._seq = 0

    async def send(self, slots: Sequence[Slot]) -> None:
        """Send what these came to; each carries the number of its first row as a mark.

        Raises:
            ConnectionError: the client is gone.
        """
        rows: list[Any] = []
        batches: list[Batch] = []
        maker: dict[str, Any] = {}
        first = 0
        for slot in slots:
            result = slot.result
            if result.__class__ is Prediction and not batches:
                first = first if rows else slot.mark
                rows.append(prediction(result))
                continue
            if isinstance(result, Batch):
                made_by, outputs = parted(result)
                if rows or (batches and made_by != maker):
                    await self._flush(rows, batches, maker, first)
                first = first if batches else slot.mark
                maker = made_by
                batches.append(outputs)
                continue
            if batches or isinstance(result, Exception):
                await self._flush(rows, batches, maker, first)
            if isinstance(result, Exception):
                refusal = refusal_of(result, self._limits.retry_seconds)
                await self._reject(refusal, slot.mark, max(1, slot.rows))
                continue
            first = first if rows else slot.mark
            rows.append(prediction(result) if isinstance(result, Prediction) else result)
        await self._flush(rows, batches, maker, first)

    async def _flush(
        self, rows: list[Any], batches: list[Batch], maker: dict[str, Any], number: int
    ) -> None:
        """Send what has gathered, which is forgotten."""
        if rows:
            await self._rows(rows.copy(), {}, number)
        elif batches:
            joined = batches[0] if len(batches) == 1 else Batch.concat(batches)
            await self._rows(joined, maker, number)
        rows.clear()
        batches.clear()

    async def _reject(self, refusal: Refusal, number: int, count: int) -> None:
        for seq in range(number, number + count):
            frame = Reject(self._id, seq, refusal.reason, refusal.status)
            await self._link.send(self._codec.encode(frame), text=self._codec.text)

    async def _rows(self, rows: Sequence[Any], maker: dict[str, Any], number: int) -> None:
        """One frame; or two, of half the rows each, if a message does not hold it or one of them has no form."""
        if not len(rows):
            return
        try:
            data = self._message(rows, maker)
            problem = (
                None
                if len(data) <= self._limits.message_bytes
                else _large(data, self._limits.message_bytes)
            )
        except (TypeError, WireError, ValueError, OverflowError, RecursionError) as error:
            data, problem = b"", refusal_of(error, 1)
        if problem is None:
            self._wanted.spend(len(rows))
            self._seq += len(rows)
            await self._link.send(data, text=self._codec.text)
        elif len(rows) == 1:
            await self._reject(problem, number, 1)
        else:
            half = len(rows) // 2
            await self._rows(rows[:half], maker, number)
            await self._rows(rows[half:], maker, number + half)

    def _message(self, rows: Sequence[Any], maker: dict[str, Any]) -> bytes:
        quick: bytes | None = None
        if isinstance(rows, Batch) and not self._codec.text:
            quick = self._frames.of(self._seq, rows, maker)
        if quick is not None:
            return quick
        return self._write(
            {"type": "next", "id": self._id, "seq": self._seq, "items": rows, **maker}
        )


def _large(data: bytes, most: int) -> Refusal:
    return Refusal(413, f"the answer has {len(data)} bytes, a message at most {most}")
