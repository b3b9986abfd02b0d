"""Several workers fail for several elements: those before the first of them are answered, whoever failed first."""

from __future__ import annotations

from typing import Any

import pytest

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.testing.virtual_time import run
from tests.unit.models.scoring.places import Timed


def odd(rows: Batch) -> Any:
    """Fails for odd numbers, and says for which."""
    if (rows["x"] % 2 == 1).any():
        raise ArithmeticError(str(int(rows["x"][0])))
    return rows["x"]


MODEL = models.from_function(odd, inputs=Schema.of(x="float64"))


def scored(first: float, seconds: float) -> tuple[list[float], list[Exception]]:
    """What comes out, and the error that ends it, of numbers that come one a second.

    Args:
        first: number.
        seconds: that a worker takes for it; for each later one another worker takes a second.
    """
    place = Timed(workers=8)
    seen: list[float] = []

    def number(at: int) -> float:
        place.base = seconds if at == 0 else 1.0
        return first + at

    def see(answer: models.Prediction) -> None:
        seen.append(answer.value)

    async def main() -> list[Exception]:
        flow = rxml.interval(1.0).pipe(
            ops.take(5), ops.map(number), ops.score(MODEL, on=place, max_batch=1)
        )
        try:
            await flow.pipe(ops.do_action(see)).to_list()
        except ArithmeticError as error:
            return [error]
        return []

    return seen, run(main())


@pytest.mark.parametrize("seconds", [0.1, 10.0])
def test_an_earlier_one_fails_before_or_after_a_later_one(seconds: float) -> None:
    seen, errors = scored(1.0, seconds)
    assert (seen, list(map(str, errors))) == ([], ["1"])


@pytest.mark.parametrize("seconds", [0.1, 10.0])
def test_what_came_before_a_failure_is_answered_however_long_it_takes(seconds: float) -> None:
    seen, errors = scored(2.0, seconds)
    assert (seen, list(map(str, errors))) == ([2.0], ["3"])
