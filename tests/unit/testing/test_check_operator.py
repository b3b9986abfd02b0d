"""The kit catches what it is for: an operator that breaks a law, for each law of the book, by name."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from itertools import accumulate, count, takewhile
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings

import rxml
from rxml import compose
from rxml import operators as ops
from rxml.flow.node import Cardinality
from rxml.testing import LawBroken, check_operator
from rxml.testing.law import book
from tests.unit.testing.broken import failures, kernels, stages, tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SMALL = st.integers(0, 5)
ROWS = st.fixed_dictionaries({"x": st.integers(0, 5)})
FEW = 3


@pytest.fixture(autouse=True)
def _the_same_each_time() -> Iterator[None]:
    """What is drawn is the same in every run, so that which law cries first is, too."""
    before = settings.get_current_profile_name()
    settings.register_profile("the same", parent=settings(), derandomize=True)
    settings.load_profile("the same")
    yield
    settings.load_profile(before)


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    failures.tidied_up()


def same(xs: list[Any]) -> Iterable[Any]:
    return xs


def nothing(xs: list[Any]) -> Iterable[Any]:
    return xs[:0]


def first_two(xs: list[Any]) -> Iterable[Any]:
    return xs[:2]


def twelfths(xs: list[int]) -> Iterable[float]:
    return (12 / x for x in xs)


def positive(xs: list[int]) -> Iterable[int]:
    return [x for x in xs if x]


def distinct(xs: list[Any]) -> Iterable[Any]:
    return dict.fromkeys(xs)


def marked(xs: list[Any]) -> Iterable[Any]:
    return [{**x, "seen": True} for x in xs]


@dataclass(frozen=True, slots=True)
class Culprit:
    """A broken operator, and the law that it is to be caught by."""

    law: str
    op: Callable[[], Any]
    model: Callable[[list[Any]], Iterable[Any]] | None = same
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    also: tuple[str, ...] = ()
    """Laws before that one which it breaks, too."""


def stage(
    law: str, made: type[Any], model: Any = same, *, also: tuple[str, ...] = (), **options: Any
) -> Culprit:
    return Culprit(law, lambda: stages.by_hand(made), model, options, also)


def fewer(law: str, made: type[Any], model: Any = same, **options: Any) -> Culprit:
    many = Cardinality.MANY
    return Culprit(law, lambda: stages.by_hand(made, cardinality=many), model, options)


def kernel(law: str, made: Any, model: Any = same, **options: Any) -> Culprit:
    return Culprit(law, lambda: kernels.kernel(made), model, options)


def body(
    law: str, made: Any, model: Any = same, *, also: tuple[str, ...] = (), **options: Any
) -> Culprit:
    return Culprit(law, lambda: tasks.with_body(made), model, options, also)


def forgetful() -> Any:
    return compose(ops.map(abs), kernels.kernel(kernels.Forgets), ops.map(abs))


CULPRITS = {
    "over-emits": stage("L1", stages.OverEmits),
    "gives nothing": stage("L1", stages.GivesNothing),
    "asks for more": kernel("L2", kernels.AsksForMore),
    "goes on after the end": stage("L3", stages.GoesOn),
    "takes nothing for the end": stage("L3", stages.TakesNothingForTheEnd),
    "ends after failing": stage("L3", stages.EndsAfterFailing),
    "asks twice at once": stage("L4", stages.AsksTwiceAtOnce),
    "answers both": stage("L4", stages.AnswersBoth),
    "eager": stage("L5", stages.Eager),
    "shared between runs": kernel("L6", kernels.Shared, accumulate),
    "silent": stage("L7", stages.Silent, also=("L44",)),
    "keeps its source open": stage("L8", stages.KeepsOpen),
    "cancel raises": stage("L8", stages.CancelRaises, also=("L36",)),
    "takes any demand": stage("L9", stages.TakesAnyDemand),
    "recurses": stage("L10", stages.Recurses),
    "takes its time": stage("L11", stages.TakesItsTime),
    "never gives way": fewer("L11", stages.NeverGivesWay, nothing, ahead=None),
    "drops falsy": Culprit("L12", kernels.drops_falsy, options={"elements": st.integers(1, 5)}),
    "sums each chunk": kernel("L13", kernels.SumsEachChunk, None),
    "counts demand": stage("L15", stages.CountsDemand, None),
    "knows fusion": stage("L17", stages.KnowsFusion, None),
    "doubles": kernel("L22", kernels.Doubles),
    "drops, in any order": kernel("L22", kernels.DropsTheThird, order="any"),
    "wrong columns": Culprit("L22", kernels.doubled_columns, options={"columns": True}),
    "swallows errors": stage("L31", failures.Swallows),
    "wraps errors": stage("L31", failures.Wraps),
    "overtakes": stage("L31", failures.Overtakes, ahead=1),
    "swallows cancellation": stage("L32", failures.SwallowsCancellation),
    "loses the prefix": kernel("L33", kernels.LosesThePrefix, twelfths),
    "opens twice": stage("L36", failures.OpensTwice, None, also=("L8",)),
    "leaks a task": stage("L37", failures.LeaksATask),
    "leaks memory": stage("L37", failures.LeaksMemory),
    "loses on cancel": stage("L38", failures.LosesOnCancel),
    "releases slowly": stage("L38", failures.ReleasesSlowly),
    "takes one more": fewer("L39", failures.TakesOneMore, first_two, ahead=0),
    "tries again": stage("L40", failures.TriesAgain),
    "drops each tenth": kernel("L22", kernels.DropsEachTenth),
    "takes ten at most": kernel("L13", kernels.TakesTenAtMost, None),
    "takes a thousand at most": kernel("L10", kernels.TakesThousandAtMost),
    "holds the loop": kernel("L11", kernels.HoldsTheLoop),
    "copies lists": stage("L16", stages.CopiesLists),
    "knows batches": Culprit(
        "L16", kernels.knows_batches, None, options={"columns": True, "elements": ROWS}
    ),
    "changes elements": stage("L61", stages.ChangesElements, marked, elements=ROWS),
    "leaks a timer": stage("L37", failures.LeaksATimer),
    "gives up a socket": stage("L37", failures.GivesUpASocket),
    "keeps a descriptor": stage("L37", failures.KeepsADescriptor),
    "leaves a thread": stage("L37", failures.LeavesAThread),
    "releases last": stage("L36", failures.ReleasesLast, also=("L8",)),
    "halves": Culprit(
        "L46",
        lambda: stages.by_hand(failures.Halves, cardinality=Cardinality.AT_MOST_ONE, rate=True),
        None,
        {"rate": True, "ahead": None},
    ),
    "drains the other": Culprit(
        "L42",
        lambda: tasks.with_body(
            tasks.drains_the_other, rxml.of(7, 8), cardinality=Cardinality.MANY, capacity=2
        ),
        lambda xs: [*xs, 7, 8],
        {"order": "any", "ahead": 3},
        also=("L31", "L43"),
    ),
    "swallows failures": body("L35", tasks.swallows_failures, twelfths, ahead=1, also=("L33",)),
    "tells nobody": stage("L66", failures.TellsNobody),
    "tells twice": stage("L66", failures.TellsTwice),
    "swallows a cancellation": body("L40", tasks.swallows_cancellation),
    "forgets in a row": Culprit("L58", forgetful, accumulate),
    "races": body("L41", tasks.races, ahead=4),
    "fails too soon": stage("L43", tasks.FailsTooSoon),
    "sends late": body("L44", tasks.sends_late),
    "holds more": kernel("L45", kernels.HoldsMore, None),
    "hoards in sight": stage("L45", failures.Hoards, also=("L3", "L31")),
    "overfills": body("L45", tasks.overfills, ahead=None),
    "hoards": body("L51", tasks.hoards, also=("L2", "L8", "L38", "L41", "L45")),
    "drops signals": stage("L52", failures.DropsSignals),
    "forgets": kernel("L58", kernels.Forgets, accumulate),
    "shares its snapshot": kernel("L58", kernels.SnapshotIsShared, accumulate),
    "snapshot is a set": kernel("L59", kernels.SnapshotIsASet, distinct),
    "snapshot has tuples": kernel("L59", kernels.SnapshotHasTuples, distinct),
    "not one to one": Culprit("L61", kernels.not_one_to_one, positive),
    "shifts contexts": stage("L61", failures.ShiftsContexts),
    "changes contexts": stage("L61", failures.ChangesContexts),
}


def report_on(culprit: Culprit, *, examples: int, laws: Iterable[str] | None) -> LawBroken | None:
    options: dict[str, Any] = {"elements": SMALL, **culprit.options, "laws": laws}
    try:
        check_operator(culprit.op, model=culprit.model, max_examples=examples, **options)
    except LawBroken as broken:
        return broken
    return None


@pytest.mark.parametrize("name", CULPRITS)
def test_a_broken_operator_is_caught_by_its_law(name: str) -> None:
    culprit = CULPRITS[name]
    broken = report_on(culprit, examples=60, laws=[culprit.law])
    assert broken is not None
    assert broken.law.number == culprit.law, str(broken)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # of which only L37 makes an error
@pytest.mark.parametrize("name", CULPRITS)
def test_no_other_law_cries_before_the_right_one(name: str) -> None:
    culprit = CULPRITS[name]
    before = takewhile(lambda law: law.number != culprit.law, book())
    broken = report_on(culprit, examples=FEW, laws=[law.name for law in before])
    assert broken is None or broken.law.number in {culprit.law, *culprit.also}, str(broken)


def test_every_law_catches_somebody() -> None:
    numbers = {law.number for law in book()}
    assert numbers == {culprit.law for culprit in CULPRITS.values()}


@pytest.mark.parametrize(
    "op",
    [lambda: stages.by_hand(stages.Passing), lambda: tasks.with_body(tasks.passing)],
    ids=["by hand", "with a body"],
)
def test_what_they_are_made_of_is_right(op: Callable[[], Any]) -> None:
    check_operator(op, model=same, elements=SMALL, max_examples=20)


def test_the_report_names_the_law_and_shows_input_demand_and_timeline() -> None:
    broken = report_on(CULPRITS["loses on cancel"], examples=60, laws=["cancel-safety"])
    assert str(broken).splitlines()[:2] == [
        "broken breaks law L38 (cancel-safety)",
        "A request that is cancelled while it waits loses no element: the next one goes on where it was.",
    ]
    for part in (
        "input      [0]",
        "script     ",
        "demand     ",
        "sink    ?",
        "source  ",
    ):
        assert part in str(broken), part
    assert broken is not None
    frames = traceback.extract_tb(broken.__traceback__)
    assert not any("hypothesis" in frame.filename for frame in frames)
    assert not getattr(broken, "__notes__", ())


def test_the_input_is_shrunk() -> None:
    broken = report_on(CULPRITS["doubles"], examples=60, laws=["list-model"])
    assert "input      [1], then the end\nscript     chunk of [1], End()" in str(broken)


def test_an_operator_that_differs_each_time_is_reported_as_such() -> None:
    numbers = count()
    culprit = Culprit("L22", lambda: kernels.kernel(lambda: kernels.Adds(next(numbers) % 3)))
    broken = report_on(culprit, examples=60, laws=["list-model"])
    assert broken is not None
    assert broken.law.number == "L22"


def test_laws_are_chosen_by_number_or_name_and_waived() -> None:
    doubled: dict[str, Any] = {"model": same, "elements": SMALL}
    op = CULPRITS["doubles"].op
    check_operator(op, **doubled, laws=["L1", "grammar"])
    check_operator(op, **doubled, laws=["L22"], waived={"list-model": "it doubles"})
    with pytest.raises(ValueError, match="L99"):
        check_operator(op, **doubled, laws=["L99"])
    with pytest.raises(ValueError, match="max_examples must be >= 1, got 0"):
        check_operator(op, **doubled, max_examples=0)


def test_an_error_in_building_the_operator_comes_out_as_it_is() -> None:
    def op() -> Any:
        raise LookupError("no such operator")

    with pytest.raises(LookupError, match="no such operator"):
        check_operator(op, model=same, elements=SMALL, max_examples=20)
