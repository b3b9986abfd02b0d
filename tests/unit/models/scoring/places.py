"""A place whose workers take as long as they are told, in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from rxml.errors import WorkerLostError
from rxml.flow.scope import settled

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch import Batch
    from rxml.models import Model
    from rxml.models.scoring.place import Done


@dataclass
class Timed:
    """Opens workers that take `base + row * rows` seconds a batch.

    Attributes:
        workers: how many there are.
        base: seconds for each batch.
        row: seconds for each row.
        hold: seconds that a batch may take there.
        batches: the values of `x` of each batch, in the order in which they began.
        deadly: a value of `x` that kills the worker.
        opened: models, in the order in which they came.
        closed: models, in the order in which they left.
        refused: models that cannot run here.
    """

    workers: int = 1
    base: float = 1.0
    row: float = 0.0
    hold: float = inf
    batches: list[list[float]] = field(default_factory=list[list[float]])
    deadly: float | None = None
    opened: list[Any] = field(default_factory=list[Any])
    closed: list[Any] = field(default_factory=list[Any])
    refused: list[Any] = field(default_factory=list[Any])
    pressures: list[float] = field(default_factory=list[float])

    async def open(self, model: Model, ready: Callable[[], None]) -> TimedWorkers:
        del ready
        await asyncio.sleep(0.5)
        if model in self.refused:
            raise RuntimeError("cannot run here")
        self.opened.append(model)
        return TimedWorkers(self, model)


class TimedWorkers:
    def __init__(self, place: Timed, model: Model) -> None:
        self._place = place
        self._model = model
        self._busy: set[asyncio.Future[None]] = set()
        self.count: int = place.workers
        self.hold: float = place.hold

    @property
    def idle(self) -> int:
        return self.count - len(self._busy)

    def start(self, batch: Batch, done: Done) -> None:
        assert self.idle > 0
        loop = asyncio.get_running_loop()
        xs = batch.array("x").tolist()
        self._place.batches.append(xs)
        seconds = self._place.base + self._place.row * len(batch)
        ended: asyncio.Future[None] = loop.create_future()
        self._busy.add(ended)
        loop.call_later(seconds, partial(self._end, ended, batch, done, seconds))

    def _end(self, ended: asyncio.Future[None], batch: Batch, done: Done, seconds: float) -> None:
        self._busy.discard(ended)
        ended.set_result(None)
        if self._place.deadly in batch.array("x").tolist():
            done(WorkerLostError("it died"), seconds)
            return
        try:
            result: Batch | Exception = self._model.predict(batch)
        except Exception as error:  # noqa: BLE001 - told
            result = error
        done(result, seconds)

    def pressure(self, oldest: float) -> None:
        self._place.pressures.append(oldest)

    async def close(self) -> None:
        await settled(self._busy)
        self._place.closed.append(self._model)
