"""Replay: a pipeline over what a log holds, as if it came now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from typing_extensions import override

from rxml.errors import PipelineError
from rxml.eventtime.reading import read
from rxml.facts.fact import nanoseconds_of
from rxml.facts.reading import LogSpec
from rxml.flow.adopt import adopted
from rxml.flow.chunk import END, Chunk
from rxml.flow.flowable import Flowable
from rxml.flow.kinds import stage
from rxml.flow.node import Cardinality, Node
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from rxml.facts.log import FactLog
    from rxml.flow.node import Env
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription


def replayed(
    log: FactLog,
    pipeline: Callable[[Flowable[Any]], object] | Node,
    *,
    from_: int = 0,
    from_time: int | datetime | None = None,
    paced: bool | None = None,
) -> Flowable[Any]:
    """The pipeline over the facts of a log, from the beginning or from a time on, to the end of the log.

    What depends on event time and on the facts alone gives what it gave live, to the last byte. What depends on the clock
    of the run is given the facts when they arrived, by their arrival times, if the run is on a virtual loop.

    Args:
        log: whose facts come.
        pipeline: an operator (also one that `rxml.compose` made); or a flow that reads one log, be it this one or one of
            which this is a copy: each read or tail of it is replaced by a read of this one, which begins where that
            began, a tail from the end at the beginning.
        from_: offset to begin at; where the flow begins later, that counts.
        from_time: facts before this event time are left out: int64 ns UTC, or an aware datetime; as from_.
        paced: let facts come at the distances of their arrival times; None: if a stage of the pipeline depends on time.

    Raises:
        PipelineError: the pipeline is neither, or reads no log, or several.
        FactError: `from_time` is no time.
    """
    moment = None if from_time is None else nanoseconds_of(from_time, "replayed(from_time)")

    def reading(spec: LogSpec | None = None) -> Flowable[Any]:
        if spec is None:
            flow = log.read(from_, from_time=moment)
        else:
            times = [each for each in (moment, spec.from_time) if each is not None]
            began = max(from_, spec.from_ or 0)
            flow = log.read(began, from_time=max(times, default=None), batches=spec.batches)
        return flow.pipe(_arrivals()) if paced else flow

    if paced is None:
        rate = replayed(log, pipeline, from_=from_, from_time=from_time, paced=False)
        paced = any(node.spec.rate for node in rate.walk())
        return replayed(log, pipeline, from_=from_, from_time=from_time, paced=paced)
    if isinstance(pipeline, Node):
        return _rebuilt(pipeline, reading)
    flow = adopted(pipeline(reading()))
    if flow is None:
        message = (
            "replay wants an operator, which makes a flow of a flow; this one made something else"
        )
        raise PipelineError(message)
    return flow


def _rebuilt(flow: Node, reading: Callable[[LogSpec], Flowable[Any]]) -> Flowable[Any]:
    """The same stages, with other sources where the log is read."""
    made: dict[int, Node] = {}
    paths = {node.spec.path for node in flow.walk() if isinstance(node.spec, LogSpec)}
    if len(paths) > 1 and len({path.resolve() for path in paths}) > 1:
        names = ", ".join(sorted(map(str, paths)))
        message = (
            f"replay wants a flow that reads one log, this one reads {names}: replay a flow of each"
        )
        raise PipelineError(message)
    for node in flow.walk():
        if isinstance(node.spec, LogSpec):
            made[id(node)] = reading(node.spec)
        else:
            made[id(node)] = Flowable(node.spec, tuple(made[id(each)] for each in node.sources))
    if not paths:
        message = (
            f"replay wants a flow that reads a log, by log.read() or log.tail(); this one begins with "
            f"{next(flow.walk()).spec.name}: name its operators instead, as one operator made by rxml.compose"
        )
        raise PipelineError(message)
    return cast("Flowable[Any]", made[id(flow)])


def _arrivals() -> Operator[Any, Any]:
    return stage("arrivals", ArrivalStage, cardinality=Cardinality.ONE, rate=True)


class ArrivalStage(Stage[Any]):
    """Hands facts on at the distances of their arrival times, from the first on, by the clock of the run."""

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._head: Subscription[Any] | None = None
        self._rest: Chunk[Any] = Chunk(())
        self._due: Any = np.empty(0)
        self._latest = 0.0
        self._origin: tuple[int, float] | None = None

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._head is None:
            self._head = self.env.open(self.node.sources[0])
        clock = self.env.clock
        if clock.held:
            await clock.breathe()
        while not len(self._rest.elements):
            chunk = await self._head.request(n)
            if chunk.end:
                return END
            if not len(chunk.elements):
                return chunk
            self._take_in(chunk)
        await clock.sleep_until(float(self._due[0]))
        count = int(np.searchsorted(self._due, max(clock.time(), self._due[0]), side="right"))
        out, self._rest = self._rest.split(min(count, n))
        self._due = self._due[len(out.elements) :]
        return out

    def _take_in(self, chunk: Chunk[Any]) -> None:
        """When each fact is due; one that arrived before another that stands in front of it is due with that."""
        arrived = np.asarray(read(chunk.elements, "arrival_time"), np.int64)
        if self._origin is None:
            self._origin = int(arrived[0]), self.env.clock.time()
        first, began = self._origin
        due = np.maximum.accumulate(np.maximum((arrived - first) / 1e9 + began, self._latest))
        self._rest, self._due, self._latest = chunk, due, float(due[-1])

    @override
    async def release(self) -> None:
        self.meter.dropped += len(self._rest.elements)
        self._rest = Chunk(())
        if self._head is not None:
            await self.release_all(self._head.cancel)
