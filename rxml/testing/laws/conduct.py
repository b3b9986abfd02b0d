"""Conduct: what an operator does to others: to whoever shares its loop, and to whoever else has what it was given."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING

import hypothesis.strategies as st

from rxml.flow.chunk import Chunk
from rxml.testing.law import law
from rxml.testing.leaks import few_objects
from rxml.testing.plan import Plan
from rxml.testing.script import End
from rxml.virtual.loop import VirtualLoop
from rxml.virtual.stopwatch import HoldingWatch

if TYPE_CHECKING:
    from rxml.testing.bench import Bench
    from rxml.testing.plan import Play
    from rxml.testing.script import Step
    from rxml.testing.trial import Trial

LONG_SECONDS = 1000.0
FEW = 6
SEEN = 2


@law("L11", effort=0.06)
def yielding(trial: Trial) -> None:
    """No stage holds the loop for more than 10 ms of real time, by working or by sleeping, while others could run."""
    elements = list(islice(cycle(trial.elements(least=1)), FEW))
    steps: list[Step] = [Chunk([element]) for element in elements]
    plan = Plan((*steps, End()), pause=0.0, patience=LONG_SECONDS)
    held: list[float] = []
    for _ in range(SEEN):
        watch = HoldingWatch()
        with few_objects():  # nor does the collector
            trial.run(_some, plan, loop=VirtualLoop(stopwatch=watch, limit_seconds=LONG_SECONDS))
        held = sorted(watch.held)
        if len(held) < SEEN:
            return
    raise trial.broken(
        f"it held the loop {len(held)} times over {FEW} elements, for {held[len(held) // 2] * 1000:.0f} ms:"
        " what takes long belongs in a thread, a process, or a coroutine that waits"
    )


async def _some(bench: Bench) -> Play:
    async with bench:
        return await bench.consume(most=FEW)


@law("L61", effort=0.4)
def untouched(trial: Trial) -> None:
    """What an operator was given it leaves as it was: chunks, elements and contexts, which others may have, too."""
    play = trial.play(trial.plan(late=True).but(contexts=trial.draw(st.booleans())))
    if changed := play.source.changed():
        raise trial.broken(
            f"a chunk was changed after it was handed over; it is now {changed[0]}", play
        )
