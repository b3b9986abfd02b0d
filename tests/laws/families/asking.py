"""Law cases of `rxml.operators.asking`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
from typing_extensions import override

from rxml import operators as ops
from rxml.learning import Question, Questions
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hypothesis.strategies import SearchStrategy

CAPACITY = 64
ROWS: SearchStrategy[Any] = st.fixed_dictionaries(
    {"id": st.integers(0, 5), "value": st.just(0), "u": st.sampled_from([0.0, 1.0, 2.0])}
)


class Clerk(Questions):
    """Answers at once."""

    @override
    def put(self, name: Any, element: Mapping[str, Any], due: float) -> Question | None:
        question = super().put(name, element, due)
        self.answer(name, 10 * element["u"])
        return question


def unsure(batch: Any) -> Any:
    if (batch["u"] > 1).any():
        raise ArithmeticError
    return batch["u"] > 0


def asked(rows: list[Any]) -> Iterator[dict[str, Any]]:
    """At most half, and two at once."""
    tokens = 0.0
    for row in rows:
        if row["u"] > 1:
            raise ArithmeticError
        tokens = min(tokens + 0.5, 2.0)
        goes = row["u"] > 0 and tokens >= 1
        tokens -= goes
        said = {"value": 10 * row["u"], "rung": "human"} if goes else {"rung": "primary"}
        yield {"reason": "", **row, **said}


def asking() -> Any:
    return ops.ask(Clerk(), when=unsure, within=9, budget=0.5, burst=2, capacity=CAPACITY)


CASES = {"ask": Case(asking, asked, ROWS, {"ahead": CAPACITY})}
