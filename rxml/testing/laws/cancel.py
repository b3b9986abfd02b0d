"""Cancellation: at any moment, by anyone, without losing or leaving anything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml.flow.body import BodyStage
from rxml.flow.chunk import Chunk
from rxml.flow.scope import Scope
from rxml.testing.law import law
from rxml.testing.leaks import unreleased
from rxml.testing.reach import enough
from rxml.testing.script import Never
from rxml.testing.timeline import Kind
from rxml.testing.verdict import difference
from rxml.testing.virtual_time import advance, settle

if TYPE_CHECKING:
    from rxml.testing.bench import Bench
    from rxml.testing.plan import Plan, Play
    from rxml.testing.probe import Probe
    from rxml.testing.subject import Subject
    from rxml.testing.trial import Trial

LONG_SECONDS = 1000.0
MOST_INTERRUPTIONS = 12
_BODY = f"{BodyStage.__qualname__}._main"
"""The coroutine in which a user's body runs."""


def _timeless(subject: Subject) -> bool:
    return not subject.rate


def _loses_nothing(subject: Subject) -> bool:
    """Whether it drops no element by design: an operator on time that does declares no bound."""
    return not subject.rate or subject.ahead is not None


@dataclass(frozen=True, slots=True)
class Blow:
    """When the consuming task is cancelled: after so many seconds and then turns of the loop; perhaps once more."""

    seconds: float
    turns: int
    again: int | None


_BLOWS = st.builds(
    Blow,
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    st.integers(0, 20),
    st.none() | st.integers(0, 4),
)


_CLOSING = frozenset({Kind.INTERRUPTED, Kind.CANCEL, Kind.RELEASED})


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Struck:
    """A consumer that was cancelled.

    Attributes:
        task: the consumer, done unless it hangs.
        hit: False if it was done before.
        events: how many events the timeline had when it was cancelled, and when it was done.
    """

    task: asyncio.Task[Any]
    hit: bool
    events: tuple[int, int]


async def _struck(bench: Bench, blow: Blow) -> Struck:
    """Consume in a task that is cancelled at some step."""

    async def whole() -> Play:
        async with bench:
            return await bench.consume()

    task = Scope().spawn(whole(), name="consumer")
    if blow.seconds:
        await asyncio.sleep(blow.seconds)
    await _turns(blow.turns)
    hit = task.cancel()
    before = len(bench.timeline)
    if hit and blow.again is not None:
        await _turns(blow.again)
        task.cancel()
    await asyncio.wait([task], timeout=LONG_SECONDS)
    return Struck(task, hit, (before, len(bench.timeline)))


def _interruptible(trial: Trial) -> Plan:
    plan = trial.plan(ending=trial.ending(), late=True)
    steps = plan.steps if trial.draw(st.booleans()) else (*plan.steps[:-1], Never())
    return plan.but(steps=steps, release_seconds=trial.draw(st.sampled_from([0.0, 1.0])))


@law("L38")
def cancellation(trial: Trial) -> None:
    """Cancelled at any step, a run ends promptly, as cancelled, with its source released."""
    blow = trial.draw(_BLOWS)

    async def scenario(bench: Bench) -> None:
        struck = await _struck(bench, blow)
        task = struck.task
        where = f"cancelled after {blow.seconds:g} s and {blow.turns} turns of the loop"
        if not task.done():
            task.cancel()
            raise trial.broken(f"{where}, the run had not ended {LONG_SECONDS:g} s later")
        if struck.hit and not task.cancelled():
            came = task.exception() or "nothing: the cancellation was swallowed"
            raise trial.broken(f"{where}, there came out {came!r}")
        opened = bench.timeline.count("source", Kind.OPENED)
        released = bench.timeline.count("source", Kind.RELEASED)
        if opened != released:
            raise trial.broken(
                f"{where}, the source was opened {opened} times, released {released}"
            )

    trial.run(scenario, _interruptible(trial))


@law("L40", effort=0.7)
def no_error(trial: Trial) -> None:
    """A cancellation is no error: nobody sees one, and nothing is tried again after it."""
    blow = trial.draw(_BLOWS)

    async def scenario(bench: Bench) -> None:
        tasks = _followed_tasks()
        struck = await _struck(bench, blow)
        if not struck.hit or not struck.task.done():
            struck.task.cancel()
            return
        before, after = struck.events
        await advance(LONG_SECONDS)
        if later := bench.timeline.events[after:]:
            raise trial.broken(f"after the run had ended the source had {later[0].kind.value}")
        kinds = [e.kind for e in bench.timeline.events[before:] if e.lane == "source"]
        closing = [i for i, kind in enumerate(kinds) if kind in _CLOSING]
        if closing and Kind.OPENED in kinds[closing[0] :]:
            raise trial.broken("after the cancellation the source was opened again")
        if bench.probe.errors:
            raise trial.broken(f"the cancellation left errors: {bench.probe.errors}")
        if deaf := [task.get_name() for task in tasks if _swallowed(task)]:
            raise trial.broken(
                f"the cancellation was swallowed in the task {deaf[0]!r}, which ended as if it had not been cancelled"
            )

    trial.run(scenario, _interruptible(trial).but(release_seconds=0.0))


def _followed_tasks() -> list[asyncio.Task[Any]]:
    """All tasks that run a body and are made from now on: what else the engine does with tasks is its own business."""
    made: list[asyncio.Task[Any]] = []

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
        if getattr(coroutine, "__qualname__", "") == _BODY:
            made.append(task)
        return task

    asyncio.get_running_loop().set_task_factory(make)
    return made


def _swallowed(task: asyncio.Task[Any]) -> bool:
    """Whether it was cancelled, did not take that back, and ended as if nothing had been."""
    if not task.done() or task.cancelled() or not task.cancelling():
        return False
    return task.exception() is None


@law("L38", when=_loses_nothing, effort=1.2)
def cancel_safety(trial: Trial) -> None:
    """A request that is cancelled while it waits loses no element: the next one goes on where it was."""
    plan = trial.plan(ending=trial.ending(), late=True)
    patience = trial.draw(st.lists(st.integers(0, 6), min_size=1, max_size=4))

    async def scenario(bench: Bench) -> Play:
        async with bench:
            bench.ask = _Impatient(patience).ask
            return await bench.consume()

    calm = trial.play(plan)
    if trial.subject.rate and _sensitive(trial, calm):
        return
    hasty = trial.run(scenario, plan)
    if found := difference(trial.subject, calm, hasty):
        raise trial.broken(
            f"with requests cancelled after {patience} turns of the loop and made again: {found}",
            calm,
            hasty,
        )


def _sensitive(trial: Trial, play: Play) -> bool:
    """Whether it matters to the result when the sink asks."""
    paused = (trial.play(play.plan.but(pause=pause)) for pause in (None, 0.0, 0.5, 1.0))
    return any(difference(trial.subject, play, other) for other in paused)


class _Impatient:
    """Takes requests back after a few turns of the loop and makes them again."""

    def __init__(self, patience: list[int]) -> None:
        self._patience = patience
        self._left = MOST_INTERRUPTIONS

    async def ask(self, probe: Probe[Any], n: int) -> Chunk[Any]:
        while self._left:
            turns = self._patience[self._left % len(self._patience)]
            self._left -= 1
            scope = Scope()
            asking = scope.spawn(probe.request(n), name="impatient")
            await _turns(turns)
            await scope.aclose()
            if not asking.cancelled():
                return await asking
            await settle()
        return await probe.request(n)


@law("L39", when=_timeless, effort=0.6)
def promptness(trial: Trial) -> None:
    """An operator that needs no more closes its source without another element."""
    elements = trial.elements()
    steps = (*(Chunk([element]) for element in elements), Never())
    plan = trial.plan(elements).but(steps=steps, patience=LONG_SECONDS, pause=0.0)
    play = trial.play(plan)
    if not play.ended:
        return
    if unreleased(play.timeline):
        raise trial.broken("the end was seen while the source was still open", play)
    ahead = trial.subject.ahead
    pulled = play.timeline.elements("source")
    settled = None if ahead is None else enough(trial.subject, elements[:pulled])
    if ahead is not None and settled is not None and pulled > settled + ahead:
        raise trial.broken(
            f"{settled} elements settle the result, {elements[:settled]}; it took {pulled}", play
        )


@law("L44", effort=0.8)
def no_lost_wake_up(trial: Trial) -> None:
    """Whatever the order of giving, asking and closing, nobody waits for ever."""
    plan = trial.plan(ending=trial.ending(), late=True)
    patience = trial.draw(st.lists(st.integers(0, 6), min_size=1, max_size=3))

    async def scenario(bench: Bench) -> Play:
        async with bench:
            bench.ask = _Impatient(patience).ask
            return await bench.consume()

    trial.run(scenario, plan)
