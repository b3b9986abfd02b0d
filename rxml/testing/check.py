"""check_operator: every law that applies, on one operator, from one line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal

import hypothesis.strategies as st
from hypothesis import Phase, given, settings
from hypothesis.errors import FlakyFailure

from rxml.testing.law import LawBroken
from rxml.testing.laws import chosen
from rxml.testing.subject import UNCHECKED, Subject
from rxml.testing.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hypothesis.strategies import SearchStrategy

    from rxml.flow.operator import Operator
    from rxml.testing.law import Law

_PHASES: Final = (Phase.explicit, Phase.generate, Phase.target, Phase.shrink)


def check_operator(  # noqa: PLR0913 - each is a declaration of its own
    op: Callable[[], Operator[Any, Any]],
    *,
    model: Callable[[list[Any]], Iterable[Any]] | None,
    elements: SearchStrategy[Any],
    order: Literal["same", "any"] = "same",
    ahead: int | None = 0,
    rate: bool = False,
    columns: bool = False,
    handles_errors: bool = False,
    takes: float = 0.0,
    max_examples: int = 50,
    laws: Iterable[str] | None = None,
    waived: Mapping[str, str] | None = None,
) -> None:
    """Hold an operator to every law that applies to it.

    Each law draws inputs, chunkings, demands, failures, moments of cancellation and orders of tasks, and runs the
    operator between a scripted source and a probe under virtual time. See `docs/laws.md` for the laws.

        check_operator(lambda: ops.map(abs), model=lambda xs: map(abs, xs), elements=st.integers())

    Args:
        op: makes the operator.
        model: the same on a plain list. Lazy (a generator, `map`) where it may fail half-way: what it yields before it
            raises is what must come before the error. None: only laws that need no model.
        elements: one element.
        order: "any" if results may come in any order.
        ahead: elements that it may take from upstream beyond those that the results need; None if there is no bound, as
            for an aggregate or an operator that drops.
        rate: its result depends on time; only laws about the protocol, resources and bounds apply.
        columns: its result may depend on how elements were chunked.
        handles_errors: it consumes errors of upstream.
        takes: seconds that it may take for an element, as where a coroutine of the user's waits; >= 0.
        max_examples: attempts for each law, >= 1.
        laws: numbers or names of the laws to try; None: all.
        waived: laws not to try, each with the reason.

    Raises:
        LawBroken: a law is broken; the message shows which, the smallest input found, and the timeline as a marble
            diagram.
        ValueError: a law that does not exist, `max_examples` below 1, or `takes` below 0.
    """
    if max_examples < 1:
        raise ValueError(f"max_examples must be >= 1, got {max_examples}")
    if not 0 <= takes < math.inf:
        raise ValueError(f"takes must be a finite number of seconds >= 0, got {takes}")
    subject = Subject(op, model, elements, order, ahead, rate, columns, handles_errors, takes)
    for law in chosen(laws, waived or {}):
        if law.applies(subject):
            _examine(law, subject, max(1, math.ceil(max_examples * law.effort)))


def _examine(law: Law, subject: Subject, max_examples: int) -> None:
    """Try to break one law; raises the smallest break that was found, without the tracks of the search."""

    @settings(
        max_examples=max_examples,
        deadline=None,
        database=None,
        phases=_PHASES,
        report_multiple_bugs=False,
        suppress_health_check=UNCHECKED,
    )
    @given(st.data())
    def attempt(data: st.DataObject) -> None:
        law.check(Trial(subject, law, data))

    try:
        attempt()
    except LawBroken as broken:
        found = broken
    except FlakyFailure as flaky:
        found = _flaky(flaky)
    else:
        return
    found.__notes__ = []
    raise found.with_traceback(None) from found.__cause__


def _flaky(flaky: FlakyFailure) -> LawBroken:
    """The break of an operator that does not do the same twice."""
    for error in flaky.exceptions:
        if isinstance(error, LawBroken):
            error.args = (f"{error}\n\n(seen once; the same input did not show it again)",)
            return error
    raise flaky
