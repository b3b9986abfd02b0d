"""The subscribers of rxml with strings attached: a flow that reads a publisher, and a processor."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.kinds import source
from rxml.flow.run import Run
from rxml.reactive_streams import Subscriber, to_processor
from rxml.reactive_streams.inlet import Inlet, InletStage
from tests.tck.subscriber_verification import Probe

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.reactive_streams import Subscription


class FlowProbe(Probe):
    """The subscriber of a flow that reads a publisher; its reader asks for what is triggered, one request at a time."""

    def __init__(self, *operators: Any) -> None:
        super().__init__()
        self._news: Callable[[], None] = lambda: None
        self._inlet = Inlet(1024, self._tell)
        flow = source("probe", lambda env, node: InletStage(env, node, self._start))
        self._run = Run[Any](flow.pipe(*operators))
        self._asked: asyncio.Queue[int] = asyncio.Queue(100)
        self._task = asyncio.get_running_loop().create_task(self._read())
        self._cancelled = False

    def _tell(self) -> None:
        self._news()

    def _start(self, news: Callable[[], None]) -> Inlet:
        self._news = news
        return self._inlet

    @property
    @override
    def subscriber(self) -> Subscriber[Any]:
        return self._inlet

    @override
    def trigger_request(self, n: int) -> None:
        self._asked.put_nowait(n)

    @override
    async def signal_cancel(self) -> None:
        self._cancelled = True
        await self._run.subscription.cancel()

    @override
    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._run.aclose()
        self._inlet.close()

    async def _read(self) -> None:
        while True:
            wanted = await self._asked.get()
            while wanted:
                try:
                    chunk = await self._run.subscription.request(wanted)
                except Exception as error:  # noqa: BLE001 - that is what the probe notes
                    if not self.ended:
                        self.ended.append(error)
                    break
                if chunk.end:
                    if not self.ended and not self._cancelled:
                        self.ended.append(None)
                    break
                self.elements += chunk.elements
                wanted -= len(chunk.elements)


class ProcessorProbe(Probe):
    """A processor, with a subscriber behind it."""

    def __init__(self, operator: Any) -> None:
        super().__init__()
        self._processor = to_processor(operator)
        self._behind = Behind(self)
        self._processor.subscribe(self._behind)

    @property
    @override
    def subscriber(self) -> Subscriber[Any]:
        return self._processor

    @override
    def trigger_request(self, n: int) -> None:
        self._behind.subscription.request(n)

    @override
    async def signal_cancel(self) -> None:
        self._behind.subscription.cancel()

    @override
    async def close(self) -> None:
        self._behind.subscription.cancel()


class Behind(Subscriber[Any]):
    """Tells the probe."""

    subscription: Subscription

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    @override
    def on_subscribe(self, subscription: Subscription) -> None:
        self.subscription = subscription

    @override
    def on_next(self, value: Any) -> None:
        self._probe.elements.append(value)

    @override
    def on_error(self, exception: Exception) -> None:
        self._probe.ended.append(exception)

    @override
    def on_complete(self) -> None:
        self._probe.ended.append(None)
