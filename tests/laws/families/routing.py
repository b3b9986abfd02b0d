"""Law cases of `rxml.operators.routing`."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import models
from rxml import operators as ops
from rxml.batch import Schema
from rxml.errors import DistributionError
from rxml.learning import Label
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

    from rxml.batch import Batch

CAPACITY = 64
UNSURE: SearchStrategy[Any] = st.fixed_dictionaries(
    {
        "x": st.sampled_from([1.0, 2.0]),
        "value": st.just(0.0),
        "u": st.sampled_from([0.0, 0.5, 1.0, -1.0]),
    }
)
_SURE = ((0.5, "a"), (0.5, "b"), (0.9, "a"), (0.9, "b"), (0.9, "a"), (2.0, "a"))
ANSWERS: SearchStrategy[Any] = st.sampled_from(
    [
        {"id": name, "k": k, "value": value, "p": p}
        for name in range(6)
        for k in (False, True)
        for p, value in _SURE
    ]
    + [Label(name, value) for name in range(6) for value in "ab"] * 6
)

BIGGER = models.from_function(lambda rows: 10 * rows["x"], inputs=Schema.of(x="float64"))


def unsure(batch: Batch) -> Any:
    if (batch["u"] < 0).any():
        raise ArithmeticError
    return batch["u"]


def cascade(rows: list[Any]) -> Iterator[dict[str, Any]]:
    """At most half, the least sure of the latest four, and two at once."""
    tokens, latest = 0.0, list[float]()
    for row in rows:
        if row["u"] < 0:
            raise ArithmeticError
        latest = [*latest, row["u"]][-4:]
        wanted = sum(each > row["u"] for each in latest) < len(latest) / 2
        tokens = min(tokens + 0.5, 2.0)
        goes = wanted and tokens >= 1
        tokens -= goes
        better = {"value": 10 * row["x"], "rung": "escalated"} if goes else {"rung": "primary"}
        yield {"reason": "", **row, **better}


def proven(heard: list[tuple[float, bool]]) -> float:
    """The least certainty at which no more than half is wrong, tested at one half that starts share: one, or two of four."""
    order = [[wrong for each, wrong in heard if each >= sure] for sure in (0.9, 0.5)]
    sizes = (2, 4) if len(heard) == 4 else (1,)
    starts = {next((at for at in (0, 1) if len(order[at]) >= size), 2) for size in sizes} - {2}
    held = [
        sum(comb(len(n), k) for k in range(sum(n) + 1)) / 2 ** len(n) * len(starts) <= 0.5
        for n in order
    ]
    if held[1] and (1 in starts or (0 in starts and held[0])):
        return 0.5
    return 0.9 if 0 in starts and held[0] else 2.0


def promised(elements: list[Any]) -> Iterator[dict[str, Any]]:
    heard: dict[Any, list[tuple[float, bool]]] = {}
    seen: dict[int, Any] = {}
    labelled: set[int] = set()
    for element in elements:
        if isinstance(element, Label):
            if element.id in seen and element.id not in labelled:
                labelled.add(element.id)
                row = seen[element.id]
                told = (row["p"], row["value"] != element.value)
                heard[row["k"]] = [*heard.get(row["k"], ()), told][-4:]
            continue
        if element["p"] > 1:
            raise DistributionError
        yield {**element, "abstained": element["p"] < proven(heard.get(element["k"], []))}
        seen.setdefault(element["id"], element)


CASES = {
    "abstain": Case(
        lambda: ops.abstain(0.5, 0.5, certainty="p", window=4, by="k"),
        promised,
        ANSWERS,
    ),
    "escalate": Case(
        lambda: ops.escalate(
            BIGGER,
            when=unsure,
            budget=0.5,
            burst=2,
            window=4,
            on=models.on_loop(),
            capacity=CAPACITY,
        ),
        cascade,
        UNSURE,
        {"ahead": CAPACITY},
    ),
}
