"""Remains: when a run is over, nothing of it is left, and every element has come to something that is told."""

from __future__ import annotations

import asyncio
import weakref
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import hypothesis.strategies as st

from rxml.flow.chunk import Chunk
from rxml.flow.context import Context, Outcome
from rxml.flow.kinds import supervised
from rxml.flow.node import Cardinality, MarkSpec
from rxml.flow.scope import Scope
from rxml.flow.supervision import Directive, Supervisor
from rxml.testing.belongings import Belongings, unclosed
from rxml.testing.comparing import beyond
from rxml.testing.law import law
from rxml.testing.leaks import check_collected, few_objects
from rxml.testing.script import Never
from rxml.testing.subject import MOST
from rxml.testing.timeline import Kind
from rxml.testing.verdict import differing
from rxml.testing.virtual_time import advance
from rxml.virtual.errors import LeakError

if TYPE_CHECKING:
    from rxml.flow.run import Run
    from rxml.flow.supervision import DeadLetter
    from rxml.testing.bench import Bench
    from rxml.testing.plan import Plan, Play
    from rxml.testing.probe import Probe
    from rxml.testing.script import Scripted
    from rxml.testing.subject import Subject
    from rxml.testing.trial import Trial
    from rxml.virtual.loop import VirtualLoop

LONG_SECONDS = 1000.0


@law("L37", effort=0.3)
def no_leaks(trial: Trial) -> None:
    """A run leaves no task, timer, thread, file or socket, and nothing in memory."""
    whole = trial.draw(st.booleans())
    plan = trial.plan(ending=trial.ending(), late=True).but(contexts=True)
    # Something may be opened for good by the first run of all, and be no leak.
    if _left(trial, plan, whole=whole) and (left := _left(trial, plan, whole=whole)):
        raise trial.broken(f"each run leaves {', '.join(left)}")


def _left(trial: Trial, plan: Plan, *, whole: bool) -> list[str]:
    """What a run leaves open, in words."""

    async def scenario(bench: Bench) -> tuple[list[str], weakref.ref[Run[Any]] | None]:
        async with bench:
            play = await bench.consume(most=MOST if whole else 1)
        timers = cast("VirtualLoop", asyncio.get_running_loop()).timers()
        for error in (play.error, plan.failure):
            if error is not None:
                error.__traceback__ = None  # its frames hold the run, and that is right
        if any(stage.failed for stage in bench.probe.statistics().stages):
            return timers, None  # so do those of an error that somebody else may keep
        return timers, weakref.ref(bench.probe.run)

    with few_objects(), unclosed() as given_up:
        before = Belongings.now()
        timers, run = trial.run(scenario, plan)
        try:
            check_collected(*([] if run is None else [run]))
        except LeakError as error:
            raise trial.broken(str(error)) from None
    return timers + given_up + before.added()


def _counted(subject: Subject) -> bool:
    """Whether each element comes to one result or to something that is counted."""
    if any(len(node.sources) != 1 for node in subject.nodes()):
        return False
    each = subject.cardinality
    return each is Cardinality.ONE or (each is Cardinality.AT_MOST_ONE and subject.rate)


@law("L46", when=_counted, effort=0.6)
def conservation(trial: Trial) -> None:
    """No element is lost without a word: those that came in are those that went out, and those counted as dropped or failed."""
    plan = trial.plan(late=True).but(patience=LONG_SECONDS)

    async def scenario(bench: Bench) -> tuple[Play, int, int]:
        async with bench:
            play = await bench.consume()
            stages = bench.probe.statistics().stages[1:]
            return play, sum(s.dropped for s in stages), sum(s.failed for s in stages)

    play, dropped, failed = trial.run(scenario, plan)
    if not play.ended or not play.timeline.count("source", Kind.END):
        return
    accepted, given = play.timeline.elements("source"), len(play.results)
    if given + dropped + failed != accepted:
        raise trial.broken(
            f"{accepted} elements came in, {given} went out, and of the others {dropped} are counted as dropped"
            f" and {failed} as failed"
        )


def _supervisable(subject: Subject) -> bool:
    if subject.rate or subject.columns or subject.handles_errors or subject.model is None:
        return False
    nodes = subject.nodes()
    one = len(nodes) == 1 and len(nodes[0].sources) == 1
    return (
        one
        and not isinstance(nodes[0].spec, MarkSpec)
        and subject.cardinality in {Cardinality.ONE, Cardinality.AT_MOST_ONE}
    )


@law("L35", when=_supervisable, effort=0.6)
def supervision(trial: Trial) -> None:
    """Told to resume, an operator gives what it gives without the elements that fail, and these are the dead letters."""
    elements = trial.elements()
    if trial.subject.expected(elements).error is None:
        return
    letters: list[DeadLetter] = []
    supervisor = Supervisor(lambda _: Directive.RESUME, letters.append)
    play = trial.followed(supervised("resume", supervisor)).play(trial.plan(elements))
    dead = [letter.element for letter in letters]
    if play.error is not None and not dead:
        return  # no element's fault
    if strangers := beyond(dead, elements):
        raise trial.broken(f"{strangers} are among the dead letters, and were never given", play)
    rest = beyond(elements, dead)
    expected = trial.subject.expected(rest)
    if expected.error is not None and play.ended:
        raise trial.broken(
            f"for {elements} the dead letters are {dead}; without them {expected.error!r} is raised still",
            play,
        )
    if beyond(dead, rest) == dead and (
        found := differing(trial.subject, expected.results, play.results)
    ):
        raise trial.broken(f"the dead letters are {dead}, and of the others came {found}", play)


@dataclass(frozen=True, slots=True)
class Leaving:
    """How the sink leaves: after so many results, or when it is cancelled after so many seconds and turns of the loop.

    Attributes:
        most: results; None: all.
        seconds: until it is cancelled; None: it is not.
        turns: of the loop, after that.
        late: it answers when all is over, else each result as it comes.
    """

    most: int | None
    seconds: float | None
    turns: int
    late: bool


_LEAVINGS = st.builds(
    Leaving,
    st.none() | st.integers(0, 4),
    st.none() | st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    st.integers(0, 20),
    st.booleans(),
)


class _Ledger:
    """What was said of each element, and a sink that answers."""

    def __init__(self) -> None:
        self.said: dict[str, list[Outcome]] = {}
        self.unanswered: list[Context] = []

    def beside(self, plan: Plan) -> Plan:
        """The plan, in which each element has a context that notes how it ends."""
        steps = [self._known(step) if isinstance(step, Chunk) else step for step in plan.steps]
        return plan.but(steps=tuple(steps))

    def _known(self, chunk: Chunk[Any]) -> Chunk[Any]:
        return Chunk(chunk.elements, [self._context() for _ in chunk.elements])

    def _context(self) -> Context:
        name = str(len(self.said))
        said = self.said[name] = []
        return Context(fact_id=name, settle=said.append)

    def listen(self, bench: Bench, *, late: bool) -> None:
        """Have the sink answer what it gets: as it comes, or when `answer` is called."""
        ask = bench.ask

        async def asked(sink: Probe[Any], n: int) -> Chunk[Any] | None:
            chunk = await ask(sink, n)
            if chunk is not None:
                self.unanswered += chunk.contexts or ()
            if not late:
                self.answer()
            return chunk

        bench.ask = asked

    def answer(self) -> None:
        """All results that have come are answered."""
        contexts, self.unanswered = self.unanswered, []
        for context in contexts:
            context.settled(Outcome.ANSWERED)

    def wrong(self, source: Scripted) -> dict[str, list[str]]:
        """What was said of the elements of which it was not said once for each time that they were given."""
        chunks = [given.chunk for given in source.given]
        given = Counter(context.fact_id for chunk in chunks for context in chunk.contexts or ())
        return {
            name: [outcome.value for outcome in said]
            for name, said in self.said.items()
            if len(said) != given[name]
        }


@law("L66", effort=1.2)
def settlement(trial: Trial) -> None:
    """Every element that came with a context is settled exactly once, whether the stream ends, fails, is left or is cancelled."""
    plan = trial.plan(ending=trial.ending(), late=True)
    steps = plan.steps if trial.draw(st.booleans()) else (*plan.steps[:-1], Never())
    leaving = trial.draw(_LEAVINGS)
    ledger = _Ledger()

    async def scenario(bench: Bench) -> None:
        ledger.listen(bench, late=leaving.late)
        await _leave(bench, leaving)
        ledger.answer()
        await advance(1.0)
        if wrong := ledger.wrong(bench.source):
            raise trial.broken(f"with {leaving}, the elements were settled so: {wrong}")

    trial.run(scenario, ledger.beside(plan.but(steps=steps, patience=LONG_SECONDS)))


async def _leave(bench: Bench, leaving: Leaving) -> None:
    """Consume in a task until the stream is over, the sink has had enough, or it is cancelled."""

    async def whole() -> None:
        async with bench:
            await bench.consume(most=MOST if leaving.most is None else leaving.most)

    task = Scope().spawn(whole(), name="consumer")
    await asyncio.wait([task], timeout=leaving.seconds)
    for _ in range(0 if leaving.seconds is None else leaving.turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=LONG_SECONDS)
    if not task.done():
        task.cancel()
    elif not task.cancelled():
        task.result()
