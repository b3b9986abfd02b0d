"""Exchange: one run of an operator for one client, which sends elements up and gets results down, both by demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.batch import Batch
from rxml.errors import ProtocolError
from rxml.http.codec import items_of
from rxml.http.decode import ElementError
from rxml.http.incoming import Incoming
from rxml.http.outgoing import LocalError, Outgoing
from rxml.http.protocol import Complete, Next, RawNext, Reject, Request, Subscribe
from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable
    from rxml.http.codec import Codec
    from rxml.http.decode import Intake
    from rxml.http.link import Link
    from rxml.http.serving import Serving

_MESSAGES: Final = 4
"""Messages of full size that elements on their way up may take together, about."""
_BUSY_MS: Final = 1000


class Exchange(Outgoing):
    """Sends up what the operator asks for, and down what the client asks for.

    A client that does not ask for results keeps the operator from asking for elements, so both sides stay as they are.

    Args:
        frame: opens it.
        operator: run once.
        intake: what elements must be.
        arrived: counts bytes that decoded elements take until they are wanted; negative ones have been.
        most: bytes that one message counts for at most, so that any may come when nothing else waits.
        ends: the link to the client, the codec of its sub-protocol, and the limits.
    """

    def __init__(
        self,
        frame: Subscribe,
        operator: Callable[[Flowable[Any]], Flowable[Any]],
        intake: Intake[Any],
        *,
        arrived: Callable[[int], None],
        most: int,
        ends: tuple[Link, Codec, Serving],
    ) -> None:
        link, codec, serving = ends
        limits = serving.limits
        self._incoming: Incoming[Any] = Incoming(
            f"incoming({frame.id})",
            self._ask,
            window=limits.window,
            max_bytes=_MESSAGES * limits.message_bytes,
            taken=self._taken,
        )
        super().__init__(frame, operator(self._incoming.flow()), link, codec, serving)
        self._intake = intake
        self._arrived = arrived
        self._most = most
        self._weight = 0
        self._came = 0
        self._completed = self._closed = False

    @override
    async def take(self, frame: Next | RawNext | Complete, size: int) -> None:
        if self._closed:
            return
        if self._completed:
            raise ProtocolError(f"stream {self._id} was completed by you")
        if isinstance(frame, Complete):
            self._completed = True
            self._incoming.finish()
            return
        if frame.seq not in (None, self._came):
            raise ProtocolError(f"seq must be {self._came}, got {frame.seq}")
        await self._elements(items_of(frame), size)

    async def _elements(self, items: Any, size: int) -> None:
        self._incoming.count(len(items), size)
        if self._busy(items, size):
            return
        valid: list[Any] = []
        for item in items:
            try:
                valid.append(self._intake.value(item))
            except ElementError as error:
                await self._say(Reject(self._id, self._came, str(error)))
            self._came += 1
        self._incoming.put(valid)

    def _busy(self, items: Any, size: int) -> bool:
        """Whether these bytes are too many, with all that waits on this path or comes from this address."""
        limits, intake = self._serving.limits, self._intake
        columns = isinstance(items, Batch)
        weight = 2 * size if columns else intake.weight(b"", limits, text=True, size=size)
        weight = min(weight, self._most)
        try:
            self._arrived(weight)
        except Refusal as refusal:
            self._incoming.finish(LocalError("busy", refusal.reason, _BUSY_MS))
            self._closed = True
            return True
        self._weight += weight
        return False

    def _taken(self) -> None:
        weight, self._weight = self._weight, 0
        self._arrived(-weight)

    async def _ask(self, n: int) -> None:
        if self._completed:
            return
        try:
            await self._say(Request(self._id, n))
        except ConnectionError:  # no error of the flow, which is about to be cut
            self._incoming.finish()

    async def _say(self, frame: Reject | Request) -> None:
        await self._link.say(self._codec.encode(frame), text=self._codec.text)

    @override
    async def run(self) -> None:
        try:
            await super().run()
        finally:
            self._closed = True
            self._taken()
