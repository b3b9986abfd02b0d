"""Opening: turns a description into running stages, fusing neighbouring kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from rxml.flow.fusion.cell import Cell
from rxml.flow.fusion.fused import Fused
from rxml.flow.node import KernelSpec, MarkSpec, Node, StageSpec, SuperviseSpec
from rxml.flow.relay import Relay
from rxml.flow.statistics import Meter
from rxml.flow.totals import Stint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from rxml.flow.checkpointing.coordinator import Coordinator
    from rxml.flow.checkpointing.slot import Slot
    from rxml.flow.clock import Clock, Quota
    from rxml.flow.subscription import Subscription
    from rxml.flow.supervision import Supervisor

_DEPTH: Final = 48
"""Stages that may await one another before a task takes over: the stack stays constant."""


class Ground(Protocol):
    """What opening needs of the run."""

    clock: Clock
    errors: list[BaseException]
    fuse: bool
    coordinator: Coordinator | None

    def enlist(self, finish: Callable[[], None]) -> Callable[[], None]:
        """See `Env.enlist`."""
        ...

    def prepare(self, ready: Callable[[], bool] | None = None) -> Callable[[], None]:
        """See `Env.prepare`."""
        ...

    def at_end(self, ending: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """See `Env.at_end`."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for all stages of a flow that is opened.

    Attributes:
        stint: takes the counters of each of its stages; None: they are not counted one by one.
        owner: counts their drops and failures, too; or None.
        on_its_way: the flow belongs to an element that is on its way.
    """

    stint: Stint | None
    owner: Meter | None = None
    on_its_way: bool = False


class RunEnv:
    """What a stage may use of one run (implements `rxml.flow.node.Env`).

    Attributes:
        run: the run.
        supervisor: decides about the stage's errors.
        setting: of the flow that the stage is a part of.
        depth: stages that await one another behind it.
        clock: the run's clock.
    """

    __slots__ = ("_meter", "_stage", "clock", "depth", "run", "setting", "supervisor")

    def __init__(
        self,
        run: Ground,
        supervisor: Supervisor,
        setting: Setting,
        depth: int = 0,
        stage: Node | None = None,
    ) -> None:
        self.run: Ground = run
        self.supervisor: Supervisor = supervisor
        self.setting: Setting = setting
        self.depth: int = depth
        self.clock: Clock = run.clock
        self._stage = stage
        self._meter = None if stage is None else self._opened(stage)

    def _opened(self, stage: Node) -> Meter:
        stint, owner = self.setting.stint, self.setting.owner
        if stint is None:
            return Meter(stage.spec.name, stage.spec.capacity, owner)
        return stint.opened(stage, owner)

    @property
    def owner(self) -> Meter | None:
        """See `Env.owner`."""
        return self.setting.owner

    def of(self, stage: Node, supervisor: Supervisor, depth: int) -> RunEnv:
        """For a stage of the same flow that is opened now."""
        return RunEnv(self.run, supervisor, self.setting, depth, stage)

    def _with(self, setting: Setting) -> RunEnv:
        return RunEnv(self.run, self.supervisor, setting, self.depth)

    def open(self, node: Node) -> Subscription[Any]:
        """Running stages for `node` and all that feeds it."""
        return _Opening(self).open(node)

    def reopen(self, node: Node) -> tuple[Subscription[Any], Callable[[], None]]:
        """See `Env.reopen`: else all that was ever opened would be kept for its counters."""
        setting = self.setting
        if setting.stint is None:
            return self.open(node), _nothing
        stint = Stint(setting.stint.totals)
        env = self._with(Setting(stint, setting.owner, setting.on_its_way))
        return env.open(node), stint.close

    def inner(self, *, on_its_way: bool = True) -> RunEnv:
        """See `Env.inner`; what belongs to an element on its way, all that is in it does.

        What is made by stages that are made while the run goes on has the owner that these have.
        """
        setting = self.setting
        owner = setting.owner if setting.stint is None else self._meter
        return self._with(Setting(None, owner, setting.on_its_way or on_its_way))

    def meter(self, node: Node) -> Meter:
        """See `Env.meter`."""
        if self._meter is not None and node is self._stage:
            return self._meter
        return Meter(node.spec.name, node.spec.capacity, self._meter or self.setting.owner)

    def follow(self, node: Node) -> Callable[[], None]:
        """See `Env.follow`."""
        stint = self.setting.stint
        return _nothing if stint is None else stint.totals.follow(node)

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
        if self.setting.on_its_way and not endless:
            return _nothing
        return self.run.enlist(finish)

    def prepare(self, ready: Callable[[], bool] | None = None) -> Callable[[], None]:
        """See `Env.prepare`."""
        return self.run.prepare(ready)

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
        # Flows that are made while the run goes on are in no checkpoint: a barrier waits until they have ended.
        self._coordinator = None if env.setting.stint is None else env.run.coordinator

    def open(self, node: Node) -> Subscription[Any]:
        supervisor = self._env.supervisor
        row: list[tuple[Node, Supervisor]] = []
        while isinstance(node.spec, KernelSpec | MarkSpec):
            if isinstance(node.spec, SuperviseSpec):
                supervisor = node.spec.supervisor
            elif isinstance(node.spec, KernelSpec):
                row.append((node, supervisor))
            node = node.sources[0]
        spec = cast("StageSpec", node.spec)
        depth = self._env.depth + 1
        env = self._env.of(node, supervisor, depth)
        head = spec.open(env, node)
        if self._coordinator is not None:
            head = self._coordinator.opened(env, node, head)
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
                fused = self._fused(part, head, quota)
                head, quota, count = fused, fused.quota, count + 1
                if count % _DEPTH == 0:
                    head = Relay(self._env, part[-1][0], head)
        return head

    def _fused(
        self, row: list[tuple[Node, Supervisor]], head: Subscription[Any], quota: Quota | None
    ) -> Fused:
        depth = self._env.depth
        envs = [self._env.of(node, supervisor, depth) for node, supervisor in row]
        nodes = [node for node, _ in row]
        cells = [
            Cell(env, node, cast("KernelSpec", node.spec), self._slot(node))
            for env, node in zip(envs, nodes, strict=True)
        ]
        return Fused(envs[-1], nodes[-1], head, cells, quota)

    def _slot(self, node: Node) -> Slot | None:
        return None if self._coordinator is None else self._coordinator.slot(node)

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
