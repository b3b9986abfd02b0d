"""The protocol: what each request may give, and when."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml.errors import ConcurrentRequestError, StreamClosedError
from rxml.flow.chunk import Chunk
from rxml.flow.scope import Scope
from rxml.testing.comparing import same
from rxml.testing.law import law
from rxml.testing.leaks import unreleased
from rxml.testing.plan import Plan
from rxml.testing.script import End, Fail, Never, Sleep
from rxml.testing.strategies import faults
from rxml.testing.timeline import Kind
from rxml.testing.verdict import as_model, difference
from rxml.testing.virtual_time import settle

if TYPE_CHECKING:
    from rxml.testing.bench import Bench
    from rxml.testing.plan import Play
    from rxml.testing.subject import Subject
    from rxml.testing.trial import Trial

LONG_SECONDS = 1000.0


def _timeless(subject: Subject) -> bool:
    return not subject.rate


@law("L1", effort=0.8)
def demand(trial: Trial) -> None:
    """Each answer has 1 to n elements for a demand of n, or none and a signal."""
    play = trial.play(trial.plan(ending=trial.ending(), late=True))
    for n, chunk in play.answers:
        if len(chunk) > n:
            raise trial.broken(f"{n} asked for, {len(chunk)} given: {chunk}")
        if not len(chunk) and not chunk.signalled:
            raise trial.broken("an answer had neither elements nor a signal")
        if chunk.contexts is not None and len(chunk.contexts) != len(chunk):
            raise trial.broken(f"{len(chunk)} elements with {len(chunk.contexts)} contexts")


@law("L3", effort=0.6)
def grammar(trial: Trial) -> None:
    """A stream is chunks and then one terminal signal; the end is repeated, and nothing follows a failure."""

    async def scenario(bench: Bench) -> None:
        async with bench:
            play = await bench.consume()
            if play.ended or play.error is not None:
                for _ in range(2):
                    await _after(trial, bench, play)

    trial.run(scenario, trial.plan(ending=trial.ending(), late=True))


async def _after(trial: Trial, bench: Bench, play: Play) -> None:
    """What a request after the terminal signal gives."""
    try:
        chunk = await bench.probe.request(1)
    except StreamClosedError:
        if play.ended:
            raise trial.broken(
                "a request after the end raised; it must give the end again"
            ) from None
    except Exception as error:
        raise trial.broken(f"a request after {play.terminal} raised {error!r}") from error
    else:
        if not chunk.end or len(chunk):
            raise trial.broken(f"{chunk} came after {play.terminal}")
        if play.error is not None:
            raise trial.broken("a request after a failure gave the end, not StreamClosedError")


@law("L6", when=_timeless, effort=0.3)
def re_runnable(trial: Trial) -> None:
    """A flow runs again: two runs of it, one after the other or side by side, do not know of each other."""

    async def one(bench: Bench) -> Play:
        async with bench.sink() as probe:
            return await bench.consume(probe)

    async def in_turn(bench: Bench) -> list[Play]:
        return [await one(bench), await one(bench)]

    async def at_once(bench: Bench) -> list[Play]:
        scope = Scope()
        tasks = [scope.spawn(one(bench), name=f"run {number}") for number in (1, 2)]
        return [await task for task in tasks]

    plan = trial.plan(ending=trial.ending(), late=True).but(seed=None)
    alone = trial.play(plan)
    for how, scenario in (("in turn", in_turn), ("side by side", at_once)):
        for play in trial.run(scenario, plan):
            if found := difference(trial.subject, alone, play):
                raise trial.broken(f"two runs {how}: {found}", alone, play)


@law("L4", effort=0.4)
def serial(trial: Trial) -> None:
    """Requests are one at a time: a second one raises and harms nothing; none is made upstream while one waits."""

    async def scenario(bench: Bench) -> Play:
        async with bench:
            scope = Scope()
            first = scope.spawn(bench.consume(), name="first")
            await settle()
            if not first.done():
                try:
                    answer: Any = await bench.probe.run.subscription.request(1)
                except ConcurrentRequestError:
                    answer = None
                if answer is not None:
                    raise trial.broken(f"a second request was answered with {answer}")
            return await first

    steps = (Sleep(1.0), Chunk(trial.elements()), Sleep(1.0), trial.ending())
    plan = Plan(steps)
    play = trial.run(scenario, plan)
    if misused := play.timeline.of("source", Kind.MISUSE):
        raise trial.broken(f"the operator misused its source: {misused[0].value!r}")
    if _timeless(trial.subject) and (found := difference(trial.subject, trial.play(plan), play)):
        raise trial.broken(f"a refused second request changed the first: {found}")


@law("L5", effort=0.2)
def laziness(trial: Trial) -> None:
    """Building and opening a flow does nothing: no task, no request, before the first demand."""
    before: set[Any] = set()

    async def scenario(bench: Bench) -> None:
        if bench.timeline.events:
            raise trial.broken("building the flow already used the source")
        before.update(asyncio.all_tasks())
        async with bench:
            if started := asyncio.all_tasks() - before:
                raise trial.broken(f"opening started {len(started)} tasks before any demand")
            await asyncio.sleep(LONG_SECONDS)
            if bench.timeline.events:
                raise trial.broken("the source was used before any demand")
        if bench.timeline.count("source", Kind.OPENED):
            raise trial.broken("closing a flow that was never asked opened its source")

    trial.run(scenario, trial.plan())


@law("L7", effort=0.1)
def termination(trial: Trial) -> None:
    """The end or the failure of a source without elements is seen at once."""
    play = trial.play(Plan((End(),), patience=LONG_SECONDS))
    if not trial.subject.rate and trial.subject.model is not None:
        if found := as_model(trial.subject, play):
            raise trial.broken(f"over an empty source: {found}")
    elif not play.ended and play.error is None and not play.results:
        raise trial.broken("over an empty source the stream neither ends nor fails")
    if trial.subject.handles_errors:
        return
    error = trial.draw(faults())
    play = trial.play(Plan((Fail(error),), patience=LONG_SECONDS))
    if play.error is None and not play.ended and not play.results:
        raise trial.broken(
            f"over a source that fails at once the stream is silent ({play.terminal})"
        )


@law("L8", effort=0.6)
def idempotent_close(trial: Trial) -> None:
    """Cancelling ends the stream at once, releases the source once, never raises, and can be repeated."""
    asked = trial.draw(st.integers(0, 3))
    plan = trial.plan(late=True)
    plan = plan.but(steps=(*plan.steps[:-1], Never()))

    async def scenario(bench: Bench) -> Exception | None:
        async with bench:
            scope = Scope()
            request = scope.spawn(bench.consume(most=asked), name="some") if asked else None
            await settle()
            for _ in range(2):
                try:
                    await bench.probe.cancel()
                except Exception as error:
                    raise trial.broken(f"cancel raised {error!r}") from error
            if request is not None and (raised := await _answered(trial, request)) is not None:
                return raised
            await _closed(trial, bench)
        return None

    raised = trial.run(scenario, plan)
    if raised is not None and not same(trial.play(plan.but(patience=LONG_SECONDS)).error, raised):
        raise trial.broken(f"cancel made a waiting request raise {raised!r}; it must get the end")


async def _answered(trial: Trial, request: asyncio.Task[Play]) -> Exception | None:
    """The request that waited is over; returns its error, which may be the stream's own."""
    await asyncio.wait([request], timeout=LONG_SECONDS)
    if not request.done():
        request.cancel()
        raise trial.broken("cancel left a request waiting; it must get the end")
    if request.cancelled():
        raise trial.broken("cancel cancelled the task that waited; its request must get the end")
    return request.result().error


async def _closed(trial: Trial, bench: Bench) -> None:
    """After a cancel: the source is released, and a request gives the end."""
    for opened, released in unreleased(bench.timeline).values():
        raise trial.broken(
            f"after cancel the source was opened {opened} times, released {released}"
        )
    try:
        chunk = await bench.probe.request(1)
    except Exception as error:
        raise trial.broken(f"a request after cancel raised {error!r}") from error
    if not chunk.end:
        raise trial.broken(f"a request after cancel gave {chunk}; it must give the end")


@law("L9", effort=0.2)
def invalid_demand(trial: Trial) -> None:
    """A demand that is no positive int is a ValueError that names it, and closes the stream."""
    wrong: Any = trial.draw(st.sampled_from([0, -1, 1.5, True, None, "1"]))
    asked = trial.draw(st.integers(0, 2))

    async def scenario(bench: Bench) -> None:
        async with bench:
            play = await bench.consume(most=asked)
            if play.ended or play.error is not None:
                return
            try:
                chunk = await bench.probe.request(wrong)
            except ValueError as error:
                if repr(wrong) not in str(error):
                    raise trial.broken(f"the error does not name {wrong!r}: {error}") from error
            else:
                raise trial.broken(f"a demand of {wrong!r} was answered with {chunk}")
            await _closed(trial, bench)

    trial.run(scenario, trial.plan())
