"""Row: how a namesake is compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.differential.draws import anything, inputs
from tests.differential.side import Input, Side

Make = Callable[[Side], list[Any]]
"""The operators on one side; the first is the namesake unless something has to stand in front of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison.

    Attributes:
        make: draws what the operator is given, and returns how it is made on each side.
        given: the input.
        timed: compared under virtual time, moments included.
        join: the elements are streams: their contents are compared.
        may_end_sooner: rxml ends as soon as nothing more can come out, where reactivex waits for all inputs.
    """

    make: Callable[[st.DrawFn, Input], Make]
    given: st.SearchStrategy[Input] = field(default_factory=lambda: inputs(anything))
    timed: bool = False
    join: bool = False
    may_end_sooner: bool = False


def plain(
    name: str, *arguments: Any, given: st.SearchStrategy[Input] | None = None, **options: Any
) -> Row:
    """Arguments that are the same on both sides; strategies among them are drawn from."""

    def make(draw: st.DrawFn, _: Input) -> Make:
        strategy: Any = st.SearchStrategy
        drawn = [draw(each) if isinstance(each, strategy) else each for each in arguments]
        return lambda side: [getattr(side.operators, name)(*drawn)]

    return Row(make, inputs(anything) if given is None else given, **options)
