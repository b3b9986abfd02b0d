"""The reference: bare reactivex on the same virtual loop, its source pushing element by element."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import reactivex as rx
from reactivex.internal.constants import UTC_ZERO
from reactivex.scheduler.eventloop import AsyncIOScheduler
from typing_extensions import override

import rxml

if TYPE_CHECKING:
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from rxml.flow.flowable import Flowable

Lifted = Callable[[rx.Observable[Any]], Any]
Signals = list[tuple[float, str, Any]]
"""What came out: time, kind (next, error, end), and value or error type."""


class VirtualScheduler(AsyncIOScheduler):
    """reactivex's own scheduler, except that its clock is the loop's too."""

    @property
    @override
    def now(self) -> datetime:
        return UTC_ZERO + timedelta(seconds=self._loop.time())


def observable(
    elements: Sequence[Any], spacing: float, error: Exception | None
) -> rx.Observable[Any]:
    """Pushes one element every `spacing` seconds (0: one each turn of the loop), then the end or the error."""

    def subscribe(observer: ObserverBase[Any], scheduler: SchedulerBase | None) -> DisposableBase:
        assert scheduler is not None
        at = iter(elements)

        def action(scheduler: SchedulerBase, _: Any = None) -> DisposableBase | None:
            try:
                element = next(at)
            except StopIteration:
                if error is None:
                    observer.on_completed()
                else:
                    observer.on_error(error)
                return None
            observer.on_next(element)
            return scheduler.schedule_relative(spacing, action)

        return scheduler.schedule_relative(spacing, action)

    return rx.Observable(subscribe)


def flow(elements: Sequence[Any], spacing: float, error: Exception | None) -> Flowable[Any]:
    """The same as a flow."""

    async def timed() -> AsyncIterator[Any]:
        for element in elements:
            await asyncio.sleep(spacing)
            yield element
        await asyncio.sleep(spacing)
        if error is not None:
            raise error

    def at_once() -> Any:
        yield from elements
        if error is not None:
            raise error

    return rxml.from_async_iterable(timed) if spacing else rxml.from_iterable(at_once)


async def bare(source: rx.Observable[Any], operators: Sequence[Lifted]) -> Signals:
    """What reactivex makes of it."""
    loop = asyncio.get_running_loop()
    scheduler = VirtualScheduler(loop)
    signals: Signals = []
    over = loop.create_future()

    def end(kind: str, value: Any) -> None:
        signals.append((loop.time(), kind, value))
        over.set_result(None)

    built: Any = source
    for operator in operators:
        built = operator(built)
    subscription = built.subscribe(
        lambda value: signals.append((loop.time(), "next", value)),
        lambda error: end("error", type(error)),
        lambda: end("end", None),
        scheduler=scheduler,
    )
    connection = built.connect(scheduler) if hasattr(built, "connect") else None
    await over
    subscription.dispose()
    if connection is not None:
        connection.dispose()
    return signals


async def lifted(source: Flowable[Any], operators: Sequence[Lifted], demand: int) -> Signals:
    """What the same operators make of it in `pipe`, read with a demand of `demand`."""
    loop = asyncio.get_running_loop()
    signals: Signals = []
    async with source.pipe(*operators).open() as subscription:
        try:
            while not (chunk := await subscription.request(demand)).end:
                signals += [(loop.time(), "next", element) for element in chunk.elements]
        except Exception as error:  # noqa: BLE001 - compared
            return [*signals, (loop.time(), "error", type(error))]
    return [*signals, (loop.time(), "end", None)]
