"""Operators of reactivex obey the law book in `pipe`, as those of rxml do."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import strategies as st

from rxml.rx import lift
from rxml.testing.check import check_operator
from tests.lift.untyped import R, rx

Model = Callable[[list[Any]], Iterable[Any]] | None

ROWS: dict[str, tuple[Callable[[], Any], Model, dict[str, Any]]] = {
    "map": (lambda: lift(R.map(lambda x: 12 // x)), lambda xs: (12 // x for x in xs), {}),
    "filter": (
        lambda: lift(R.filter(lambda x: 12 // x > 1)),
        lambda xs: (x for x in xs if 12 // x > 1),
        {"ahead": None},
    ),
    "scan": (lambda: lift(R.scan(lambda a, b: a + b)), accumulate, {}),
    "three": (
        lambda: lift(R.map(lambda x: x + 1), R.filter(lambda x: x % 2), R.map(str)),
        lambda xs: (str(x + 1) for x in xs if (x + 1) % 2),
        {"ahead": None},
    ),
    "buffer_with_count": (
        lambda: lift(R.buffer_with_count(3)),
        lambda xs: (xs[i : i + 3] for i in range(0, len(xs), 3)),
        {"ahead": None},
    ),
    "take": (lambda: lift(R.take(3)), lambda xs: xs[:3], {"ahead": None}),
    "flat_map": (
        lambda: lift(R.flat_map(lambda x: rx.of(x, -x))),
        lambda xs: (y for x in xs for y in (x, -x)),
        {"ahead": None},
    ),
    "pairwise": (lambda: lift(R.pairwise()), lambda xs: list(pairwise(xs)), {"ahead": None}),
    "share": (lambda: lift(R.share()), lambda xs: xs, {}),
    "delay": (lambda: lift(R.delay(1.0)), None, {"rate": True, "ahead": None}),
    "debounce": (lambda: lift(R.debounce(1.0)), None, {"rate": True, "ahead": None}),
}


UNTOLD = {"L66": "of elements that bring about no result, or several, nobody is told how they end"}


@pytest.mark.parametrize("name", ROWS)
def test_an_operator_of_reactivex_obeys_the_laws(name: str) -> None:
    op, model, options = ROWS[name]
    check_operator(
        op, model=model, elements=st.integers(-5, 5), max_examples=5, waived=UNTOLD, **options
    )
