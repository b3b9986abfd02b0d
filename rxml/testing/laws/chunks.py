"""Chunks: the result depends on the elements, never on how they were cut, asked for, fused or scheduled."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml.flow.chunk import UNBOUNDED, Chunk
from rxml.flow.kinds import elementwise
from rxml.testing.comparing import close, same_multiset
from rxml.testing.law import law
from rxml.testing.plan import Plan
from rxml.testing.script import End
from rxml.testing.strategies import SIZES, batched, chunkings, cut, demands
from rxml.testing.verdict import as_model, difference

if TYPE_CHECKING:
    from rxml.testing.bench import Bench
    from rxml.testing.plan import Play
    from rxml.testing.subject import Subject
    from rxml.testing.trial import Trial

LONG_RUN = 3000


def _free_of_chunks(subject: Subject) -> bool:
    return not subject.rate and not subject.columns


def _timeless(subject: Subject) -> bool:
    return not subject.rate


def _modelled(subject: Subject) -> bool:
    return subject.model is not None and not subject.rate


class _Opaque:
    """A value of which nothing can be asked."""

    def _refuse(self, *_: Any) -> Any:
        raise TypeError("an opaque value was looked at")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = _refuse
    __hash__ = __bool__ = __len__ = __iter__ = __getitem__ = __call__ = _refuse


def _indifferent(subject: Subject) -> bool:
    """Whether the operator never looks at values: its model takes opaque ones."""
    if not _modelled(subject):
        return False
    tries = [subject.expected([_Opaque() for _ in range(count)]) for count in range(1, 5)]
    return all(tried.error is None for tried in tries)


_STRANGE: st.SearchStrategy[list[Any]] = st.lists(
    st.sampled_from(
        [None, float("nan"), ValueError("a value"), [1], {}, (), "", False, StopIteration()]
    ),
    max_size=5,
)


def _whole(elements: list[Any]) -> Plan:
    return Plan((Chunk(elements), End()))


@law("L22", when=_modelled)
def list_model(trial: Trial) -> None:
    """The operator gives what its model on a plain list gives."""
    elements = trial.many()
    if trial.subject.expected(elements).error is not None:
        return
    play = trial.play(_whole(elements))
    if found := as_model(trial.subject, play):
        raise trial.broken(found, play)


@law("L33", when=_modelled)
def user_errors(trial: Trial) -> None:
    """When the user's function fails for element i, the results of the elements before it come first, then its error."""
    elements = trial.elements(most=5)
    if trial.subject.expected(elements).error is None:
        return
    plan = _whole(elements) if trial.subject.columns else trial.plan(elements)
    play = trial.play(plan)
    if found := as_model(trial.subject, play):
        raise trial.broken(found, play)


@law("L12", when=_indifferent, effort=0.5)
def any_value(trial: Trial) -> None:
    """Where values do not matter, None, NaN, exceptions, unhashable and falsy ones are elements like any other."""
    elements: list[Any] = trial.draw(_STRANGE)
    play = trial.play(_whole(elements))
    if found := as_model(trial.subject, play):
        raise trial.broken(found, play)


@law("L13", when=_free_of_chunks)
def chunk_invariance(trial: Trial) -> None:
    """The result does not depend on how the elements were cut into chunks."""
    elements = trial.many()
    ending = trial.ending()
    plan = trial.plan(elements, ending, heartbeats=False)
    plan = plan.but(demands=plan.demands[:1])
    other = plan.but(steps=(*trial.draw(chunkings(elements)), ending))
    _alike(trial, plan, other, "cut in another way")


@law("L15", when=_free_of_chunks)
def demand_invariance(trial: Trial) -> None:
    """The result does not depend on how much the sink asks for at a time."""
    plan = trial.plan(trial.many(), trial.ending())
    _alike(trial, plan, plan.but(demands=trial.draw(demands())), "asked for in another way")


@law("L17", when=_timeless)
def fusion(trial: Trial) -> None:
    """Fused with its neighbours or not, the operator gives the same results, errors and counts."""
    plan = trial.plan(ending=trial.ending()).but(fuse=True)
    inner = trial.between(elementwise("itself", _itself), elementwise("itself", _itself))
    one, other = inner.play(plan), inner.play(plan.but(fuse=False))
    if found := difference(trial.subject, one, other):
        raise trial.broken(f"without fusion: {found}", one, other)
    if one.emitted != other.emitted and one.ended and trial.subject.order == "same":
        raise trial.broken(
            f"fused, the stages emitted {one.emitted}; apart, {other.emitted}", one, other
        )


def _itself(element: Any) -> Any:
    return element


def _batchable(subject: Subject) -> bool:
    return not subject.rate and (subject.mapped or _indifferent(subject))


_ROWS: st.SearchStrategy[list[Any]] = st.lists(
    st.fixed_dictionaries({"x": st.integers(0, 5), "y": st.floats(-1, 1)}), max_size=8
)


@law("L16", when=_batchable, effort=0.6)
def columns(trial: Trial) -> None:
    """Rows make the same results whether they come in a list or in a `Batch`, floats up to rounding."""
    rows = trial.elements() if trial.subject.mapped else trial.draw(_ROWS)
    sizes = trial.draw(SIZES)
    plan = trial.plan(rows, trial.ending(), heartbeats=False)
    ending = plan.steps[-1]
    lists = cut(rows, sizes)
    one = trial.play(plan.but(steps=(*lists, ending)))
    other = trial.play(plan.but(steps=(*map(batched, lists), ending)))
    alike = close if trial.subject.order == "same" else same_multiset
    if type(one.error) is not type(other.error) or one.ended != other.ended:
        raise trial.broken(f"as a batch: {other.terminal}; as a list: {one.terminal}", one, other)
    if one.error is None and not alike(one.results, other.results):
        raise trial.broken(
            f"as a batch the rows make {other.results}, as a list {one.results}", one, other
        )


@law("L41", when=_timeless)
def schedule_invariance(trial: Trial) -> None:
    """In whatever order ready tasks run, and however long elements take to come, the result is the same."""
    plan = trial.plan(trial.many(), trial.ending(), late=True)
    other = plan.but(seed=trial.draw(st.integers(0, 999)), pause=None)
    _alike(trial, plan, other, "in another order of tasks")


@law("L10", effort=0.05)
def depth(trial: Trial) -> None:
    """A long stream takes no more stack than a short one, and gives what its model gives."""
    elements = list(islice(cycle(trial.elements(least=1)), LONG_RUN))
    demand = trial.draw(st.sampled_from([UNBOUNDED, 7]))

    async def scenario(bench: Bench) -> None:
        async with bench:
            play = await bench.consume()
            if isinstance(play.error, RecursionError):
                raise trial.broken(f"{LONG_RUN} elements: {play.error!r}")
        if not _modelled(trial.subject) or trial.subject.columns:
            return
        if found := as_model(trial.subject, play):
            raise trial.broken(found)

    trial.run(scenario, Plan((Chunk(elements), End()), demands=(demand,)))


def _alike(trial: Trial, one: Plan, other: Plan, how: str) -> tuple[Play, Play]:
    """Run both plans; they must come to the same."""
    first, second = trial.play(one), trial.play(other)
    if found := difference(trial.subject, first, second):
        raise trial.broken(f"{how}: {found}", first, second)
    return first, second
