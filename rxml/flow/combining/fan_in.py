"""FanIn: several inputs that are asked side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from rxml.flow.dropping import dropped
from rxml.flow.scope import Scope, calm, unasked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from rxml.flow.chunk import Chunk
    from rxml.flow.statistics import Meter
    from rxml.flow.subscription import Subscription


class Inlet:
    """One of several inputs.

    Attributes:
        subscription: the running input.
        tag: whatever its owner keeps beside it.
        asked: elements asked for, until the answer is there; 0 while it is idle.
        live: false once it has ended, failed, or was dropped.
    """

    __slots__ = ("asked", "live", "subscription", "tag")

    def __init__(self, subscription: Subscription[Any], tag: Any = None) -> None:
        self.subscription: Subscription[Any] = subscription
        self.tag: Any = tag
        self.asked: int = 0
        self.live: bool = True


class Answer(NamedTuple):
    """What an input answered: a chunk (perhaps the end), or the error that it failed with."""

    inlet: Inlet
    chunk: Chunk[Any] | None
    error: Exception | None


class FanIn:
    """Asks inputs side by side, each request in a task that is used again; answers come in the order of their arrival.

    The one who reads it does all the work in its own task, so that nothing happens at once. An input is not asked again
    before its answer was taken, so that no more is held than was asked for. An answer that is thrown away ends as dropped.

    Args:
        name: who asks, for the names of tasks.
        meter: counts what is dropped.

    Attributes:
        inlets: the inputs that have not ended; the order is that in which they were added.
        answers: what has arrived and was not taken yet.
    """

    __slots__ = (
        "_bell",
        "_closing",
        "_idle",
        "_meter",
        "_name",
        "_rung",
        "_scope",
        "answers",
        "inlets",
    )

    def __init__(self, name: str, meter: Meter) -> None:
        self.inlets: list[Inlet] = []
        self.answers: deque[Answer] = deque()
        self._name = name
        self._meter = meter
        self._scope = Scope()
        self._idle: list[asyncio.Future[Inlet]] = []
        self._bell: asyncio.Future[None] | None = None
        self._rung = False
        self._closing = False

    def add(self, subscription: Subscription[Any], tag: Any = None) -> Inlet:
        """Take in another input; it is not asked yet."""
        inlet = Inlet(subscription, tag)
        self.inlets.append(inlet)
        return inlet

    def ask(self, inlet: Inlet, n: int) -> None:
        """Ask an idle input for 1..n elements. Inputs are asked in the order of these calls."""
        inlet.asked = n
        while self._idle:
            waiter = self._idle.pop()
            if not waiter.done():
                waiter.set_result(inlet)
                return
        self._scope.start(self._serve(inlet), name=f"{self._name}: inputs")

    async def wait(self) -> None:
        """Wait until an answer has arrived or the bell was rung. Cancelling this loses nothing."""
        while not self.answers and not self._rung:
            self._bell = asyncio.get_running_loop().create_future()
            await self._bell
        self._rung = False

    def ring(self) -> None:
        """End the wait, now or the next time, without an answer."""
        self._rung = True
        self._wake()

    async def drop(self, inlet: Inlet) -> None:
        """Cancel an input before its end, and forget what it has answered; returns once it is released.

        An input stays in `inlets` until it is released, so that after an interruption this can be called again.
        """
        inlet.live = False
        gone = [each for each in self.answers if each.inlet is inlet]
        for answer in gone:
            self.answers.remove(answer)
        self._throw_away(gone)
        await inlet.subscription.cancel()
        self.forget(inlet)

    def forget(self, inlet: Inlet) -> None:
        """Take out an input that has ended."""
        inlet.live = False
        if inlet in self.inlets:
            self.inlets.remove(inlet)

    def clear(self) -> None:
        """Forget all answers."""
        gone = list(self.answers)
        self.answers.clear()
        self._throw_away(gone)

    def _throw_away(self, answers: Iterable[Answer]) -> None:
        chunks = [each.chunk for each in answers if each.chunk is not None]
        self._meter.dropped += dropped(*chunks)

    def finalizers(self) -> list[Callable[[], Awaitable[None]]]:
        """What ends all tasks, then forgets all answers, then ends all inputs, in turn."""
        cancels = [inlet.subscription.cancel for inlet in self.inlets]
        return [self._close, self._forget_answers, *cancels]

    async def _forget_answers(self) -> None:
        self.clear()

    def _wake(self) -> None:
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    async def _close(self) -> None:
        self._closing = True
        await self._scope.aclose()

    async def _serve(self, inlet: Inlet) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._arrived(await self._asked(inlet))
            waiter: asyncio.Future[Inlet] = loop.create_future()
            self._idle.append(waiter)
            del inlet  # what it was must not be kept by a task that waits
            inlet = await waiter

    async def _asked(self, inlet: Inlet) -> Answer:
        try:
            return Answer(inlet, await inlet.subscription.request(inlet.asked), None)
        except Exception as error:  # noqa: BLE001 - handed to the reader
            return Answer(inlet, None, error)
        except asyncio.CancelledError as error:
            if self._closing:
                raise
            return Answer(inlet, None, unasked(error))
        finally:
            if not self._closing:
                calm(cast("asyncio.Task[Any]", asyncio.current_task()))

    def _arrived(self, answer: Answer) -> None:
        answer.inlet.asked = 0
        if answer.inlet.live:
            self.answers.append(answer)
            self._wake()
        else:
            self._throw_away([answer])
