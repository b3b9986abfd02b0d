"""Windowed: windows of which only remains to be said what is computed over each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate
from rxml.errors import PipelineError
from rxml.eventtime.event_time import EventTime, event_time_of
from rxml.eventtime.keying import Keying, keying_of
from rxml.eventtime.windows.kernel import WindowKernel
from rxml.eventtime.windows.late import Late
from rxml.eventtime.windows.plan import Plan, Settings
from rxml.eventtime.windows.ticking import TickStage
from rxml.eventtime.windows.windowing import Count
from rxml.flow.chunk import CHUNK
from rxml.flow.kinds import placed, select, stage
from rxml.flow.node import Cardinality, Checkpointing, KernelSpec
from rxml.flow.placing import StageOperator
from rxml.flow.sharing.shared import Share
from rxml.flow.sharing.sharing import sharing_of
from rxml.flow.traits import trait

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch.row import Row
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator

A = TypeVar("A")


class Windowed(Generic[A]):
    """Say what is computed: `window(...).aggregate(name=aggregate, ...)`.

    Args:
        name: of the windows, as people read it.
        settings: what is decided about them.
        time: where elements have their event time, if not where `with_event_time` says.
    """

    __slots__ = ("_name", "_settings", "_time")

    def __init__(self, name: str, settings: Settings, time: EventTime | None) -> None:
        self._name = name
        self._settings = settings
        self._time = time

    def aggregate(self, **aggregates: Aggregate) -> Operator[A, Row]:
        """The windows' results as rows.

        A row has the key's column, if there are keys; `start` and `end` of the window and the `time` of the result, its
        end less one, all int64 nanoseconds since 1970 UTC; and a column for each aggregate. Where a window may have several
        results, it also has `pane` (0, 1, ...), `timing` ("early", "on_time", "late") and `final` (no other follows);
        where these may be taken back, `retracted`.

        Args:
            aggregates: what is computed, from `rxml.aggregates`, by the name of its column.

        Raises:
            PipelineError: none, or something that is no aggregate, or a name that is taken; no event time upstream.
        """
        for name, given in aggregates.items():
            _require_aggregate(f"{self._name}.aggregate({name}=...)", given)
        if not aggregates:
            message = f"{self._name}.aggregate() wants something to compute, such as n=agg.count()"
            raise PipelineError(message)
        return placed(self._name, lambda source: self._behind(source, aggregates))

    def with_late(
        self, **aggregates: Aggregate
    ) -> Callable[[Flowable[A]], tuple[Flowable[Row], Flowable[Late[A]]]]:
        """Two flows: the results, and the elements that came when all their windows had ended.

        Use it as `results, late = flow.through(window(...).with_late(n=agg.count()))`. Both are read side by side in one
        run, as those of `partition` are: each is held back while the other is not read.

        Args:
            aggregates: as for `aggregate`.
        """
        if self._settings.late == "error":
            message = f'{self._name}.with_late() hands late elements on: leave late="error" out'
            raise PipelineError(message)
        settings = replace(self._settings, late="emit")
        both = Windowed[A](self._name, settings, self._time).aggregate(**aggregates)

        def split(source: Flowable[A]) -> tuple[Flowable[Row], Flowable[Late[A]]]:
            shared: Flowable[Any] = Share(sharing_of("with_late", CHUNK, "slowest", 30))(
                both(source)
            )
            on_time: Operator[Any, Any] = select("results", _is_result)
            late: Operator[Any, Any] = select("late", _is_late)
            return on_time(shared), late(shared)

        return split

    def _behind(
        self, source: Flowable[Any], aggregates: dict[str, Aggregate]
    ) -> Operator[Any, Any]:
        plan = Plan(self._settings, aggregates, keying_of(source), self._event_time(source))
        plan.check()
        name = self._name
        spec = KernelSpec(
            name=name,
            kernel=lambda: WindowKernel(name, plan),
            cardinality=Cardinality.MANY,
            capacity=self._settings.most,
            holds=True,
            rate=plan.ticks is not None,
            traits=plan.times,
            reads=(Keying,),
        )
        windows = cast("Operator[Any, Any]", StageOperator(spec))
        seconds = plan.ticks
        if seconds is None:
            return windows
        ticks: Operator[Any, Any] = stage(
            "early",
            lambda env, node: TickStage(env, node, seconds),
            rate=True,
            passes=True,
            checkpointing=Checkpointing.PASSES,
        )
        return lambda flow: windows(ticks(flow))

    def _event_time(self, source: Flowable[Any]) -> EventTime | None:
        if self._time is not None:
            return self._time
        if isinstance(self._settings.windowing, Count):
            return trait(source, EventTime)
        return event_time_of(self._name, source)

    @override
    def __repr__(self) -> str:
        return self._name


def _require_aggregate(where: str, given: object) -> None:
    if not isinstance(given, Aggregate):
        message = f"{where} wants an aggregate, such as count() of rxml.aggregates, got {given!r}"
        raise PipelineError(message)


def _is_late(element: object) -> bool:
    return isinstance(element, Late)


def _is_result(element: object) -> bool:
    return not isinstance(element, Late)
