"""IntervalStage: pairs of elements whose times are close to one another."""

from __future__ import annotations

from itertools import islice, repeat
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.eventtime.joins.codes import listed
from rxml.eventtime.joins.join_stage import LEFT, RIGHT, JoinStage
from rxml.eventtime.joins.sweep import Sweep
from rxml.flow.chunk import CHUNK, FOREVER, Chunk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from rxml.eventtime.joins.results import Joined
    from rxml.eventtime.joins.side import Side, Taken
    from rxml.flow.context import Context
    from rxml.flow.node import Env, Node

    Results: TypeAlias = Iterator[tuple[Joined[Any, Any], Context | None]]

_LOOK: Final = 32
"""Elements that are passed between two looks at the clock."""

_FORGOTTEN: Final = 512
"""Elements of each input that are forgotten between two looks at the clock."""


class IntervalStage(JoinStage):
    """Gives pairs as the watermark of both inputs passes their time, in an order that only the elements decide.

    A watermark or a barrier stands behind all that it has brought about: while results are left, it is held back, and
    nothing more is asked for.
    """

    def __init__(
        self,
        env: Env,
        node: Node,
        sides: tuple[Side, Side],
        capacity: int,
        reach: tuple[int, int],
        *,
        outer: bool,
    ) -> None:
        super().__init__(env, node, sides, capacity)
        self._sweep = Sweep(*reach, outer=outer)
        self._outer = outer
        self._results: Results = iter(())
        self._passing = False

    @override
    def held(self, position: int) -> int:
        return self._sweep.held(position)

    @override
    def put(self, position: int, taken: Taken) -> None:
        keys: Any = repeat(None) if taken.keys is None else listed(taken.keys)
        contexts: Any = taken.contexts or repeat(None)
        add = self._sweep.add
        for time, key, item, context in zip(
            taken.times.tolist(), keys, taken.elements, contexts, strict=False
        ):
            add(position, time, key, item, context)

    @override
    def due(self) -> dict[str, Any]:
        self._passing = True
        return {}

    @override
    async def work(self, n: int) -> None:
        clock, most, count = self.env.clock, min(n, CHUNK), 0
        watermark = self._watermark()
        while self._passing:
            self._take(most)
            if self.ready.size >= most:
                return
            if not self._sweep.due(watermark):
                await self._pass(watermark)
                return
            self._results = self._sweep.step()
            count += 1
            if count % _LOOK == 0 and clock.held:
                await clock.breathe()

    def _watermark(self) -> int:
        """How far both inputs have come; while both are idle, no further than before.

        If one has ended and the other is idle, nobody is waited for, and all that is there has its results. What the
        idle one brings later has a watermark of its own again, so it is late only if it is from before these.
        """
        coming = sum(not each.over for each in self.inflows)
        if not coming:
            return FOREVER + 1
        least = min(each.reached for each in self.inflows)
        if least < FOREVER:
            return least
        return self.settled if coming == len(self.inflows) else self._sweep.last + 1

    def _take(self, most: int) -> None:
        for pair, context in islice(self._results, most - self.ready.size):
            self.ready.append(pair, context)

    async def _pass(self, watermark: int) -> None:
        """All from before the watermark has been passed."""
        self.settled: int = max(self.settled, watermark)
        while self._sweep.forget(watermark, _FORGOTTEN):
            if self.env.clock.held:
                await self.env.clock.breathe()
        self._passing = False
        if self.failure is None:
            self.over: bool = self._hopeless()
        elif self._certain():
            self.error: Exception | None = self.failure
        self.ready.put(Chunk((), **super().due()))

    def _certain(self) -> bool:
        """Whether all that the failed input has left certain is known."""
        stop = min(each.mark for each in self.inflows if each.failed)
        return all(each.failed or each.reached >= stop for each in self.inflows)

    def _hopeless(self) -> bool:
        """Whether no further result can come."""
        left, right = self.inflows
        if left.over and not self._sweep.held(LEFT):
            return True
        return right.over and not self._outer and not self._sweep.held(RIGHT)

    @override
    def let_go(self) -> None:
        super().let_go()
        self._results = iter(())
        self.meter.dropped += self._sweep.clear()

    @override
    def snapshot(self) -> Any:
        return [super().snapshot(), self._sweep.snapshot()]

    @override
    def restore(self, state: Any) -> None:
        common, sweep = state
        super().restore(common)
        self._sweep.restore(sweep)
