"""Law cases of `rxml.operators.scoring`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.models.prediction import Prediction
from rxml.uncertain import Normal
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.flow.operator import Operator

CAPACITY = 64


def share(rows: Batch) -> Any:
    """Fails for a batch that has a 0 in it."""
    if not rows["x"].all():
        raise ZeroDivisionError("division by zero")
    return 12 / rows["x"]


MODEL = models.from_function(share, inputs=Schema.of(x="float64"))


def shares(xs: list[Any]) -> Iterator[Prediction]:
    release = models.Release("share")
    return (Prediction({"value": 12 / x}, release) for x in xs)


def scored(place: Any, **how: Any) -> Operator[Any, Any]:
    return ops.score(MODEL, on=place, capacity=CAPACITY, **how)


def uncertain(x: int) -> dict[str, Any]:
    """A fact where x is even, else a distribution; each x is a fact of its own."""
    value = Normal(float(x), 0.25) if x % 2 else float(x)
    return {"x": value, "id": x}


UNCERTAIN = st.integers(-5, 5).map(uncertain)


def propagated(method: str) -> Case:
    """Distributions through the model, as that does with each row alone."""
    model = models.propagated(MODEL, method)
    release = models.Release("share")

    def answers(rows: list[Any]) -> Iterator[Prediction]:
        for row in rows:
            found = model.predict(Batch.from_rows([row]))
            yield Prediction({"value": found["value"].at(0)}, release)

    return Case(
        lambda: scored(models.on_loop(), propagate=method),
        answers,
        elements=UNCERTAIN,
        options={"ahead": CAPACITY},
    )


CASES = {
    "score": Case(lambda: scored(models.on_loop()), shares, options={"ahead": CAPACITY}),
    "score:small": Case(
        lambda: scored(models.on_loop(), max_batch=2), shares, options={"ahead": CAPACITY}
    ),
    "score:thread": Case(lambda: scored(models.threads()), shares, options={"ahead": CAPACITY}),
    "score:unordered": Case(  # on the loop: which of two real threads is first, nobody can say twice
        lambda: scored(models.on_loop(), ordered=False, max_batch=2),
        shares,
        options={"ahead": CAPACITY, "order": "any"},
    ),
    "score:unscented": propagated("unscented"),
    "score:worlds": propagated("worlds(4, seed=7)"),
}
