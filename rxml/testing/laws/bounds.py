"""Bounds: nothing is asked for that nobody wants, and nothing piles up."""

from __future__ import annotations

import asyncio
from itertools import cycle, islice
from typing import TYPE_CHECKING

import hypothesis.strategies as st
from typing_extensions import override

from rxml.flow.chunk import UNBOUNDED, Chunk
from rxml.testing.law import law
from rxml.testing.plan import Plan
from rxml.testing.reach import needed, suffices
from rxml.testing.script import Never, scripted
from rxml.testing.strategies import chunkings, demands
from rxml.testing.timeline import Kind
from rxml.testing.virtual_time import advance, settle
from rxml.virtual.loop import VirtualLoop

if TYPE_CHECKING:
    from rxml.flow.statistics import Meter
    from rxml.testing.bench import Bench
    from rxml.testing.script import Step
    from rxml.testing.subject import Subject
    from rxml.testing.timeline import Event, Timeline
    from rxml.testing.trial import Trial

LONG_SECONDS = 1000.0
MOST_IN_ONE_TURN = 300
HASTE = 100
MANY_RESULTS = 100
UNFAIR = 4


def _exact(subject: Subject) -> bool:
    return subject.ahead is not None and subject.model is not None and not subject.rate


def _bounded(subject: Subject) -> bool:
    return subject.ahead is not None


def _timeless(subject: Subject) -> bool:
    return not subject.rate


@law("L2", when=_exact, effort=0.7)
def no_over_pull(trial: Trial) -> None:
    """No more is taken from upstream than the results asked for need, and the declared number ahead."""
    elements = trial.elements()
    needs = needed(trial.subject, elements)
    settled = suffices(trial.subject)
    whole = len(elements) if settled is None else min(len(elements), settled)
    ahead = trial.subject.ahead or 0
    plan = trial.plan(elements).but(pause=0.0)

    async def scenario(bench: Bench) -> None:
        async with bench:
            most = given = 0
            while True:
                n = plan.demand(bench.timeline.count("sink", Kind.REQUEST))
                wanted = min(given + n, len(needs))
                most = max(most, needs[wanted] if wanted < len(needs) else whole)
                try:
                    chunk = await bench.probe.request(n)
                except Exception:  # noqa: BLE001 - not this law's business
                    return
                await settle()
                given += len(chunk)
                pulled = bench.timeline.elements("source")
                if pulled > most + ahead:
                    raise trial.broken(
                        f"{given} results were given and {n} asked for, which needs {most} elements"
                        f" and {ahead} ahead at most; {pulled} were taken"
                    )
                if chunk.end or given > len(needs):
                    return

    trial.run(scenario, plan)


class HastyLoop(VirtualLoop):
    """A loop on which work seems to take long, so that a stage that never gives way is found soon."""

    @override
    def cpu_time(self) -> float:
        return super().cpu_time() * HASTE


@law("L11", when=_timeless, effort=0.15)
def liveness(trial: Trial) -> None:
    """With elements ready and wanted, time need not pass for progress; and a stage at work lets others run."""
    play = trial.play(trial.plan(ending=trial.ending()))
    if play.seconds > trial.subject.takes * len(play.plan.elements) * (1 + 1e-9):
        raise trial.broken(
            f"all was ready at 0 s, and the stream took {play.seconds:g} s, where it takes"
            f" {trial.subject.takes:g} s an element (say takes=... if a function of the user's waits)",
            play,
        )
    elements = list(islice(cycle(trial.elements(least=1)), MOST_IN_ONE_TURN + 100))
    steps: list[Step] = [Chunk([element]) for element in elements]

    async def scenario(bench: Bench) -> int:
        turns = _Turns(bench)
        async with bench:
            while turns.asked < len(elements):
                try:
                    async with asyncio.timeout(LONG_SECONDS):
                        chunk = await bench.probe.request(UNBOUNDED)
                except Exception:  # noqa: BLE001 - not this law's business
                    break
                await asyncio.sleep(0)
                if chunk.end or len(bench.probe.elements) > len(elements):
                    break
        return turns.longest

    longest = trial.run(scenario, Plan((*steps, Never())), loop=HastyLoop())
    if longest > MOST_IN_ONE_TURN:
        raise trial.broken(
            f"it took {longest} chunks from an endless source in one turn of the loop; nothing else could run"
        )


class _Turns:
    """Counts how often the source is asked in one turn of the loop."""

    def __init__(self, bench: Bench) -> None:
        self._asked = 0
        self.asked = 0
        self.longest = 0
        bench.timeline.watch = self._see

    def _see(self, event: Event) -> None:
        if event.lane == "source" and event.kind is Kind.REQUEST:
            if not self._asked:
                asyncio.get_running_loop().call_soon(self._turn)
            self._asked += 1
            self.asked += 1
            self.longest = max(self.longest, self._asked)

    def _turn(self) -> None:
        self._asked = 0


@law("L45", effort=0.6)
def buffer_bound(trial: Trial) -> None:
    """No stage ever holds more elements than the capacity that it declares."""
    plan = trial.plan(late=True)
    over: list[str] = []

    async def scenario(bench: Bench) -> None:
        async with bench:
            source = id(bench.source)
            meters = [m for key, m in bench.probe.run.meters.items() if key != source]

            def look(event: Event) -> None:
                # While an answer is on its way through a stage, it is not held by it.
                if event.lane == "sink" or event.kind in {Kind.REQUEST, Kind.CHUNK}:
                    over.extend(_overfull(meters))

            bench.timeline.watch = look
            await bench.consume()

    trial.run(scenario, plan)
    if over:
        raise trial.broken(over[0])


def _overfull(meters: list[Meter]) -> list[str]:
    found: list[str] = []
    for meter in meters:
        held = meter.read().buffered
        if held > meter.capacity:
            found.append(
                f"{meter.name} holds {held} elements; it declares a capacity of {meter.capacity}"
            )
    return found


@law("L51", when=_bounded, effort=0.6)
def backpressure(trial: Trial) -> None:
    """When the sink stalls, the source stops after the declared capacity and the number ahead."""
    bound = trial.subject.capacity + (trial.subject.ahead or 0)
    asked = trial.draw(st.integers(0, 3))
    few = trial.elements(least=1)
    elements = list(islice(cycle(few), bound + 3 * len(few) + 30))
    steps = (*trial.draw(chunkings(elements)), Never())
    plan = trial.plan(few).but(steps=steps)

    async def scenario(bench: Bench) -> int:
        async with bench:
            for index in range(asked):
                try:
                    async with asyncio.timeout(LONG_SECONDS):
                        await bench.probe.request(min(plan.demand(index), 5))
                except Exception:  # noqa: BLE001 - not this law's business
                    break
            before = bench.timeline.elements("source")
            await settle()
            await advance(LONG_SECONDS)
            return bench.timeline.elements("source") - before

    after = trial.run(scenario, plan)
    if after > bound:
        raise trial.broken(
            f"while the sink asked for nothing the source gave {after} elements;"
            f" capacity and ahead allow {bound}"
        )


def _contested(subject: Subject) -> bool:
    """Whether it takes from several flows, in no order of theirs."""
    return subject.order == "any" and any(len(node.sources) > 1 for node in subject.nodes())


@law("L42", when=_contested, effort=0.2)
def fairness(trial: Trial) -> None:
    """Of several flows that are always ready, none is kept waiting by another."""
    few = [Chunk([element]) for element in trial.elements(least=1)]
    steps = islice(cycle(few), MANY_RESULTS)
    plan = Plan((*steps, Never()), demands=trial.draw(demands()), patience=LONG_SECONDS)
    bench = trial.run(_always_ready, plan)
    given = {lane: bench.elements(lane) for lane in bench.lanes if lane != "sink"}
    if min(given.values()) * UNFAIR < max(given.values()):
        raise trial.broken(f"of flows that are always ready it took {given}")


async def _always_ready(bench: Bench) -> Timeline:
    """Put in the place of each other flow one that never ends; take many results."""
    for node in bench.flow.walk():
        others = [
            scripted(Chunk([0]), forever=True, timeline=bench.timeline, lane=f"flow {number}")
            for number in range(2, len(node.sources) + 1)
        ]
        node.sources = (*node.sources[:1], *others)
    async with bench:
        await bench.consume(most=MANY_RESULTS)
    return bench.timeline
