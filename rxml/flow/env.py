"""Opening: turns a description into running stages, fusing neighbouring kernels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from rxml.flow.fusion.cell import Cell
from rxml.flow.fusion.fused import Fused
from rxml.flow.node import KernelSpec, Node, StageSpec, SuperviseSpec
from rxml.flow.relay import Relay
from rxml.flow.statistics import Meter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from rxml.flow.clock import Clock, Quota
    from rxml.flow.subscription import Subscription
    from rxml.flow.supervision import Supervisor

_DEPTH: Final = 48
"""Stages that may await one another before a task takes over: the stack stays constant."""


class Ground(Protocol):
    """What opening needs of the run."""

    clock: Clock
    errors: list[BaseException]
    meters: dict[int, Meter]
    fuse: bool

    def enlist(self, finish: Callable[[], None]) -> Callable[[], None]:
        """See `Env.enlist`."""
        ...

    def at_end(self, ending: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """See `Env.at_end`."""
        ...


@dataclass(frozen=True, slots=True)
class RunEnv:
    """What stages may use of one run (implements `rxml.flow.node.Env`)."""

    run: Ground
    supervisor: Supervisor
    depth: int = 0
    dynamic: bool = False
    on_its_way: bool = False

    @property
    def clock(self) -> Clock:
        """The run's clock."""
        return self.run.clock

    def open(self, node: Node) -> Subscription[Any]:
        """Running stages for `node` and all that feeds it."""
        return _Opening(self).open(node)

    def inner(self, *, on_its_way: bool = True) -> RunEnv:
        """For flows made while the run goes on; what belongs to an element on its way, all that is in it does."""
        return replace(self, dynamic=True, on_its_way=self.on_its_way or on_its_way)

    def meter(self, node: Node) -> Meter:
        """The counters of the stage; those of stages made while the run goes on are thrown away."""
        known = self.run.meters.get(id(node))
        if known is not None and not self.dynamic:
            return known
        return Meter(node.spec.name, node.spec.capacity)

    def where(self, node: Node) -> str:
        """The stage, its path, and where it was built."""
        return f"{node.spec.name}, in {path(node)}, built at {node.spec.built}"

    def report(self, error: BaseException) -> None:
        """Keep a finalizer's error for the end of the run."""
        self.run.errors.append(error)

    def enlist(self, finish: Callable[[], None], *, endless: bool = False) -> Callable[[], None]:
        """Have a source finished when the run is drained.

        The flow of an element that is on its way is part of what must come through: only endless ones are finished.
        """
        if self.on_its_way and not endless:
            return _nothing
        return self.run.enlist(finish)

    def at_end(self, ending: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """Have something ended when the run has been closed."""
        return self.run.at_end(ending)


def _nothing() -> None:
    """What takes back nothing."""


def path(node: Node, most: int = 8) -> str:
    """The names of the stages up to this one, the nearest `most` of them."""
    names: list[str] = []
    while len(names) < most:
        names.append(node.spec.name)
        if not node.sources:
            break
        node = node.sources[0]
    else:
        names.append("…")
    return " → ".join(reversed(names))


class _Opening:
    """Walks one row of stages from the sink towards the source, then opens it from the source on."""

    def __init__(self, env: RunEnv) -> None:
        self._env = env

    def open(self, node: Node) -> Subscription[Any]:
        supervisor = self._env.supervisor
        row: list[tuple[Node, Supervisor]] = []
        while isinstance(node.spec, KernelSpec | SuperviseSpec):
            if isinstance(node.spec, SuperviseSpec):
                supervisor = node.spec.supervisor
            else:
                row.append((node, supervisor))
            node = node.sources[0]
        spec = cast("StageSpec", node.spec)
        depth = self._env.depth + 1
        head = spec.open(replace(self._env, supervisor=supervisor, depth=depth), node)
        if depth % _DEPTH == 0:
            head = Relay(self._env, node, head)
        return self._fuse(head, row)

    def _fuse(
        self, head: Subscription[Any], row: list[tuple[Node, Supervisor]]
    ) -> Subscription[Any]:
        count = 0
        for group in self._groups(row):
            quota: Quota | None = None
            for part in [group] if self._env.run.fuse else [[entry] for entry in group]:
                fused = Fused(self._env, part[-1][0], head, self._cells(part), quota)
                head, quota, count = fused, fused.quota, count + 1
                if count % _DEPTH == 0:
                    head = Relay(self._env, part[-1][0], head)
        return head

    def _cells(self, row: list[tuple[Node, Supervisor]]) -> list[Cell]:
        return [
            Cell(replace(self._env, supervisor=supervisor), node, cast("KernelSpec", node.spec))
            for node, supervisor in row
        ]

    def _groups(
        self, row: list[tuple[Node, Supervisor]]
    ) -> Iterator[list[tuple[Node, Supervisor]]]:
        """Rows that may be fused, sources first: nothing is fused behind a kernel that holds."""
        group: list[tuple[Node, Supervisor]] = []
        for entry in reversed(row):
            group.append(entry)
            spec = cast("KernelSpec", entry[0].spec)
            if spec.holds:
                yield group
                group = []
        if group:
            yield group
