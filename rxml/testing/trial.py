"""Trial: one attempt to break a law: draws an input, runs the operator, reports."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

import hypothesis.strategies as st

from rxml.flow.compose import compose
from rxml.testing.bench import Bench, ClosingError
from rxml.testing.law import LAWS, LawBroken
from rxml.testing.plan import Plan
from rxml.testing.report import report
from rxml.testing.script import End, Fail
from rxml.testing.strategies import (
    SIZES,
    SIZES_AND_HEARTBEATS,
    WAITS,
    batched,
    cut,
    delayed,
    demands,
    faults,
)
from rxml.testing.virtual_time import Driver
from rxml.virtual.errors import DeadlockError, LeakError, RunawayError
from rxml.virtual.loop import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from hypothesis.strategies import DataObject, SearchStrategy

    from rxml.flow.operator import Operator
    from rxml.testing.law import Law
    from rxml.testing.plan import Play
    from rxml.testing.script import Step
    from rxml.testing.subject import Subject
    from rxml.testing.timeline import Timeline

T = TypeVar("T")

_FUSED: Final = st.sampled_from([True, False])
_PLANS: Final = st.tuples(SIZES_AND_HEARTBEATS, demands(), _FUSED)
_STEADY_PLANS: Final = st.tuples(SIZES, demands(), _FUSED)
_DELAYS: Final = st.tuples(
    WAITS, st.sampled_from([None, 0.0, 1.0]), st.none() | st.integers(0, 999)
)
_ENDINGS: Final = st.just(End()) | faults().map(Fail)

LIMIT_SECONDS: Final = 20.0
SHORT_SECONDS: Final = 1.0
MOST_ELEMENTS: Final = 8

_BATCHED: Final = st.booleans()
_LENGTHS: Final = st.sampled_from([*[0] * 40, *[30] * 6, 1024, 2500])


class Trial:
    """What an experiment works with.

    Args:
        subject: the operator under test.
        law: what is to be broken.
        data: draws.
    """

    def __init__(self, subject: Subject, law: Law, data: DataObject) -> None:
        self.subject = subject
        self.law = law
        self._data = data
        self._last: tuple[Plan, Timeline] | None = None

    def draw(self, strategy: SearchStrategy[T]) -> T:
        """Draw a value."""
        return self._data.draw(strategy)

    def elements(self, least: int = 0, most: int = MOST_ELEMENTS) -> list[Any]:
        """Draw elements for the operator."""
        return self.draw(_lists(self.subject.elements, least, most))

    def many(self) -> list[Any]:
        """Draw elements; now and then a long row of them, in which those that were drawn come over and over."""
        few, length = self.elements(), self.draw(_LENGTHS)
        return list(islice(cycle(few), length)) if length and few else few

    def ending(self) -> Step:
        """Draw an end or a failure; only an end for operators that handle errors."""
        if self.subject.handles_errors:
            return End()
        return self.draw(_ENDINGS)

    def plan(
        self,
        elements: list[Any] | None = None,
        ending: Step | None = None,
        *,
        late: bool = False,
        heartbeats: bool = True,
    ) -> Plan:
        """Draw all about a run.

        Args:
            elements: what the source gives; drawn if not given.
            ending: what it does then; ends if not given.
            late: let the source wait between chunks, and the sink between requests.
            heartbeats: let chunks without elements come between.
        """
        given = self.elements() if elements is None else elements
        sizes, demands, fuse = self.draw(_PLANS if heartbeats else _STEADY_PLANS)
        steps = cut(given, sizes)
        if self.subject.mapped and self.draw(_BATCHED):
            steps = list(map(batched, steps))
        last = End() if ending is None else ending
        if not late:
            return Plan((*steps, last), demands=demands, fuse=fuse)
        waits, pause, seed = self.draw(_DELAYS)
        steps = delayed(steps, waits)
        return Plan((*steps, last), demands=demands, pause=pause, fuse=fuse, seed=seed)

    def between(self, before: Operator[Any, Any], after: Operator[Any, Any]) -> Trial:
        """The same trial with the operator between two others."""
        make = self.subject.op
        return self._with(lambda: compose(before, make(), after))

    def followed(self, after: Operator[Any, Any]) -> Trial:
        """The same trial with another operator behind."""
        make = self.subject.op
        return self._with(lambda: compose(make(), after))

    def _with(self, op: Callable[[], Operator[Any, Any]]) -> Trial:
        return Trial(replace(self.subject, op=op), self.law, self._data)

    def run(
        self,
        scenario: Callable[[Bench], Coroutine[Any, Any, T]],
        plan: Plan,
        *,
        loop: VirtualLoop | None = None,
    ) -> T:
        """Run a scenario under virtual time; the run must not hang, run away or leave anything."""

        async def main() -> T:
            bench = Bench(self.subject, plan)
            self._last = plan, bench.timeline
            return await scenario(bench)

        limit = SHORT_SECONDS if self.subject.runaway else LIMIT_SECONDS
        made = VirtualLoop(seed=plan.seed, limit_seconds=limit) if loop is None else loop
        try:
            with Driver(made) as driver:
                return driver.run(main())
        except DeadlockError as error:
            raise self._other("no-lost-wake-up", error) from error
        except LeakError as error:
            raise self._other("no-leaks", error) from error
        except RunawayError as error:
            self.subject.runaway.append(error)  # from now on it is known, and found out sooner
            raise self._other("liveness", error) from error
        except ClosingError as error:
            raise self._other("idempotent-close", error) from error.__cause__
        except BaseExceptionGroup as group:
            if group.message != "finalizers failed":
                raise
            raise self._other("bracket", group) from group

    def play(self, plan: Plan) -> Play:
        """Run a plan to its end."""
        return self.run(_consume, plan)

    def broken(self, reason: str, *plays: Play) -> LawBroken:
        """The error to raise; without plays it shows the last run."""
        return self._broken(self.law, reason, *plays)

    def _other(self, name: str, error: BaseException) -> LawBroken:
        return self._broken(LAWS[name], str(error))

    def _broken(self, law: Law, reason: str, *plays: Play) -> LawBroken:
        stories = [(play.plan, play.timeline) for play in plays]
        if not stories and self._last is not None:
            stories = [self._last]
        name = self.subject.nodes()[-1].spec.name
        return LawBroken(law, reason, report(law, name, reason, stories))


@cache
def _lists(element: SearchStrategy[T], least: int, most: int) -> SearchStrategy[list[T]]:
    """Kept, since hypothesis takes its time over a strategy that it sees for the first time."""
    return st.lists(element, min_size=least, max_size=most)


async def _consume(bench: Bench) -> Play:
    async with bench:
        return await bench.consume()
