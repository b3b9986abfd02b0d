"""Totals: what has been counted for the stages of a graph, whatever ran as each of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from typing_extensions import override

from rxml.flow.graph import held_by, openings
from rxml.flow.statistics import Meter, RunStatistics

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.node import Node
    from rxml.flow.statistics import Counted, StageStatistics


class Total(Meter):
    """The counters of one stage of a graph, which runs once for each use: its own are those of what runs no more."""

    __slots__ = ("_followed", "_running")
    requested: int
    emitted: int
    busy: float

    def __init__(self, name: str, capacity: int) -> None:
        super().__init__(name, capacity)
        self._running: dict[Meter, None] = {}
        self._followed: dict[Meter, StageStatistics] = {}

    def opened(self, owner: Meter | None) -> Meter:
        """The counters of a stage that runs from now on."""
        meter = Meter(self.name, self.capacity, owner)
        self._running[meter] = None
        return meter

    def closed(self, meter: Meter) -> None:
        """A stage runs no more: what it has counted stays, and nothing else of it."""
        del self._running[meter]
        self._add(meter.read())

    def follow(self, other: Meter) -> None:
        """Show from now on what is counted there, too."""
        self._followed[other] = other.read()

    def leave(self, other: Meter) -> None:
        """Show what was counted there until now, and no more."""
        self._add(other.read().since(self._followed.pop(other)))

    @override
    def read(self) -> StageStatistics:
        others = [meter.read() for meter in self._running]
        others += [other.read().since(before) for other, before in self._followed.items()]
        return super().read().with_others(others)

    def _add(self, counted: StageStatistics) -> None:
        self.requested += counted.requested
        self.emitted += counted.emitted
        self.dropped += counted.dropped
        self.failed += counted.failed
        self.evicted += counted.evicted
        self.busy += counted.busy_seconds


class Totals:
    """The counters of a graph, under names that are unique.

    Args:
        node: the last of the graph.
        apart: they are those of what is shared: runs show them, and they show nothing else.

    Attributes:
        stages: by the identity of the node, sources first.
    """

    __slots__ = ("_apart", "_readers", "stages")

    def __init__(self, node: Node, *, apart: bool = False) -> None:
        self.stages: dict[int, Total] = {}
        self._apart = apart
        self._readers: dict[Counted, int] = {}
        names: dict[str, int] = {}
        for stage, times in openings(node):
            name = stage.spec.name
            names[name] = seen = names.get(name, 0) + 1
            unique = name if seen == 1 else f"{name} #{seen}"
            self.stages[id(stage)] = Total(unique, held_by(stage, times))

    def read(self) -> RunStatistics:
        """All stages now."""
        return RunStatistics(tuple(total.read() for total in self.stages.values()))

    def follow(self, node: Node) -> Callable[[], None]:
        """Show what is counted for the stages that feed a shared one; returns what ends that.

        They run apart, for all who read them. What feeds one shared stage through another runs apart from that, too; a
        stage that is reached in several ways is shown once.
        """
        nodes = () if self._apart else node.walk()
        shared = [each.shared.counted() for each in nodes if each.shared is not None]
        for other in shared:
            self._readers[other] = readers = self._readers.get(other, 0) + 1
            if readers == 1:
                for mine, its in self._common(other):
                    mine.follow(its)
        return partial(self._leave, shared)

    def _leave(self, shared: list[Counted]) -> None:
        for other in shared:
            self._readers[other] -= 1
            if not self._readers[other]:
                del self._readers[other]
                for mine, its in self._common(other):
                    mine.leave(its)

    def _common(self, other: Counted) -> list[tuple[Total, Meter]]:
        stages = self.stages
        return [(stages[key], its) for key, its in other.stages.items() if key in stages]


class Stint:
    """Stages that are opened and closed together, such as those of one attempt of `retry`.

    Attributes:
        totals: where they are counted.
    """

    __slots__ = ("_opened", "totals")

    def __init__(self, totals: Totals) -> None:
        self.totals: Totals = totals
        self._opened: list[tuple[Total, Meter]] = []

    def opened(self, node: Node, owner: Meter | None) -> Meter:
        """The counters of a stage that runs from now on; of one that is not in the graph, nobody else sees them."""
        total = self.totals.stages.get(id(node))
        if total is None:
            return Meter(node.spec.name, node.spec.capacity, owner)
        meter = total.opened(owner)
        self._opened.append((total, meter))
        return meter

    def close(self) -> None:
        """All of them are closed: keep what they have counted, and nothing else of them."""
        opened, self._opened = self._opened, []
        for total, meter in opened:
            total.closed(meter)
