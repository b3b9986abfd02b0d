"""Errors and resources: what fails is seen as it was raised, and everything that was opened is closed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml.flow.chunk import UNBOUNDED
from rxml.flow.kinds import elementwise
from rxml.flow.node import Cardinality
from rxml.flow.scope import Scope
from rxml.testing.law import law
from rxml.testing.leaks import unreleased
from rxml.testing.misdeeds import Misdeed
from rxml.testing.recorder import Recorder
from rxml.testing.script import End, Fail, Never
from rxml.testing.strategies import faults
from rxml.testing.subject import MOST
from rxml.testing.timeline import Kind
from rxml.testing.verdict import difference, differing
from rxml.testing.virtual_time import settle

if TYPE_CHECKING:
    from rxml.testing.bench import Bench
    from rxml.testing.plan import Plan, Play
    from rxml.testing.subject import Subject
    from rxml.testing.trial import Trial

LONG_SECONDS = 1000.0


class Downstream(Exception):  # noqa: N818 - who raises it
    """Raised behind the operator: none of its business."""


def _lets_errors_pass(subject: Subject) -> bool:
    return not subject.handles_errors and not subject.rate


@law("L32", effort=0.4)
def downstream_errors(trial: Trial) -> None:
    """An operator never catches what is raised downstream, and never swallows a cancellation."""
    error = Downstream("raised downstream")

    def fail(_: Any) -> Any:
        raise error

    plan = trial.plan(late=True)
    behind = trial.between(elementwise("itself", lambda x: x), elementwise("fail", fail))
    play = behind.play(plan)
    if play.results or (play.error is not error and trial.play(plan).results):
        raise trial.broken(f"the error of a stage behind was lost: {play.results} {play.terminal}")

    async def scenario(bench: Bench) -> None:
        async with bench.probe as probe:
            with suppress(Exception):
                await probe.request(UNBOUNDED)
            raise error

    try:
        trial.run(scenario, plan.but(patience=LONG_SECONDS))
    except Downstream:
        trial.run(
            lambda bench: _cancelled(trial, bench), plan.but(steps=(*plan.steps[:-1], Never()))
        )
        return
    raise trial.broken("an error raised by the sink itself did not come out of the run")


async def _cancelled(trial: Trial, bench: Bench) -> None:
    """A request that is cancelled while it waits is over, as cancelled."""
    async with bench:
        asking = Scope().spawn(bench.consume(), name="asking")
        await settle()
        if not asking.cancel():
            return
        await asyncio.wait([asking], timeout=LONG_SECONDS)
        if not asking.cancelled():
            asking.cancel()
            raise trial.broken(
                "a waiting request was cancelled, and the cancellation was swallowed"
            )


@law("L31", when=_lets_errors_pass)
def error_transparency(trial: Trial) -> None:
    """When upstream fails after some elements, what they had brought about comes first, then the same error object."""
    error = trial.draw(faults())
    plan = trial.plan(ending=Fail(error))
    silent = plan.but(steps=(*plan.steps[:-1], Never()), patience=LONG_SECONDS)
    before, play = trial.play(silent), trial.play(plan)
    if before.ended or before.error is not None:
        if play.error is error and trial.subject.ahead == 0:
            raise trial.broken(
                f"the stream was over, {before.terminal}, before upstream failed", play
            )
        return
    if play.error is not error:
        raise trial.broken(
            f"upstream failed with {error!r}; the stream came out {play.terminal}", play
        )
    if found := differing(trial.subject, before.results, play.results):
        raise trial.broken(
            f"without the failure these results were ready: {before.results}; with it came {found}",
            before,
            play,
        )
    if trial.subject.cardinality is Cardinality.ONE:
        whole = trial.play(plan.but(steps=(*plan.steps[:-1], End())))
        if len(play.results) < len(whole.results) == len(plan.elements):
            raise trial.broken(
                f"{len(plan.elements)} elements came before the failure, {len(play.results)} results",
                play,
            )


@law("L36", effort=0.8)
def bracket(trial: Trial) -> None:
    """What was opened is released exactly once, however the run ends, before that end is seen, the last opened first; no finalizer's error hides another."""
    way = trial.draw(st.sampled_from(["end", "error", "cancel", "leave", "raise"]))
    failing = trial.draw(st.booleans())
    release_error = ValueError("finalizer of the source") if failing else None
    ending = Fail(OSError("upstream")) if way == "error" else End()
    plan = trial.plan(ending=ending).but(
        release_error=release_error, release_seconds=trial.draw(st.sampled_from([0.0, 1.0]))
    )
    seen: list[BaseException] = []
    ended = trial.run(lambda bench: _leave(bench, way, seen), plan)
    if ended is None:
        return
    if failing and ended.timeline.count("source", Kind.OPENED):
        _reported(trial, ended, release_error, seen)
    elif seen and seen[0] is not ended.error and not isinstance(seen[0], Downstream):
        raise trial.broken(f"leaving the run raised {seen[0]!r}")
    _released(trial, ended)
    _nested(trial, plan)


def _nested(trial: Trial, plan: Plan) -> None:
    """What was opened last is released first: what stands before the operator, then what stands behind it."""
    inner, outer = Recorder("before"), Recorder("behind")
    outer.timeline = inner.timeline
    trial.between(inner, outer).run(
        lambda bench: _leave(bench, "leave", []), plan.but(release_error=None)
    )
    order = [event.lane for event in inner.timeline.events if event.kind is Kind.RELEASED]
    if "before" in order and order[-1] != "behind":
        raise trial.broken(f"what was opened last is to be released first; the order was {order}")


async def _leave(bench: Bench, way: str, seen: list[BaseException]) -> Play | None:
    """Run until the end or leave in one of the other ways; what comes out of the run is kept in `seen`."""
    play: Play | None = None
    try:
        async with bench:
            play = await bench.consume(most=MOST if way in {"end", "error"} else 1)
            if way == "cancel":
                await bench.probe.cancel()
            _raise(Downstream() if way == "raise" and play.error is None else play.error)
    except Exception as error:  # noqa: BLE001 - looked at by the law
        seen.append(error)
    return play


def _raise(error: Exception | None) -> None:
    if error is not None:
        raise error


def _reported(trial: Trial, play: Play, error: Exception | None, seen: list[BaseException]) -> None:
    """The finalizer's error is in the group that was raised, or in a note of the primary error."""
    for each in seen:
        told = " ".join([*getattr(each, "__notes__", ()), str(each), repr(each)])
        if repr(error) in told:
            return
    raise trial.broken(
        f"the source's finalizer raised {error!r}, and nobody was told (the stream came out {play.terminal})"
    )


def _released(trial: Trial, play: Play) -> None:
    """The source was released as often as opened, the last time before the sink saw how it ended."""
    for opened, released in unreleased(play.timeline).values():
        raise trial.broken(f"the source was opened {opened} times and released {released} times")
    over = False
    for event in play.timeline.events:
        if over and event.kind is Kind.RELEASED:
            raise trial.broken("the end was seen before the source was released")
        over = over or (event.lane == "sink" and event.kind in {Kind.END, Kind.ERROR})


@law("L43", when=_lets_errors_pass, effort=0.4)
def one_error(trial: Trial) -> None:
    """When a stream fails, one error surfaces, and by then every task of the run has ended."""
    error = ValueError("upstream")
    plan = trial.plan(ending=Fail(error), late=True)

    async def scenario(bench: Bench) -> None:
        before = asyncio.all_tasks()
        async with bench:
            play = await bench.consume()
            left = asyncio.all_tasks() - before
            if play.error is None:
                return
            if left:
                names = sorted(task.get_name() for task in left)
                raise trial.broken(f"the failure was seen while tasks were still at work: {names}")
            if isinstance(play.error, BaseExceptionGroup):
                raise trial.broken(f"a group of errors came out: {play.error!r}")
            await settle()

    trial.run(scenario, plan)


# What need not change the result, since nobody asks a source that has ended or was cancelled.
_HARMLESS = frozenset(
    {
        Misdeed.EMPTY_CHUNKS,
        Misdeed.DATA_AFTER_END,
        Misdeed.ERROR_AFTER_END,
        Misdeed.DEAF,
        Misdeed.SLOW_CANCEL,
    }
)


@law("L3", effort=0.5)
def robustness(trial: Trial) -> None:
    """Behind a source that breaks the rules, an operator ends or fails all the same, and makes the best of it."""
    misdeed = trial.draw(st.sampled_from(Misdeed))
    plan = trial.plan(trial.elements(least=1), heartbeats=False)

    async def scenario(bench: Bench) -> Play:
        async with bench:
            play = await bench.consume()
            bench.probe.errors.clear()  # a source that raises when it is cancelled is reported: that is right
        return play

    play = trial.run(scenario, plan.but(misdeed=misdeed))
    if misdeed not in _HARMLESS or trial.subject.rate or trial.subject.columns:
        return
    if found := difference(trial.subject, trial.play(plan), play):
        raise trial.broken(found, play)
