"""Law cases of `rxml.operators.aggregation` and `rxml.operators.collecting`."""

from __future__ import annotations

from functools import reduce
from typing import Any

from rxml import operators as ops
from rxml.errors import BufferOverflowError
from rxml.flow.empty import NoElementsError
from tests.laws.case import Case

ALL: dict[str, Any] = {"ahead": None}


def shrunk(a: int, b: int) -> int:
    return (a or 7) // b


def total(a: Any, b: Any) -> Any:
    return a + b


def first(a: Any, _: Any) -> Any:
    return a


def share(x: int) -> int:
    return 6 // x


def good(x: int) -> bool:
    return share(x) > 0


def folded(xs: list[Any]) -> list[Any]:
    if not xs:
        raise NoElementsError("of the model")
    return [reduce(shrunk, xs)]


def mean(xs: list[Any]) -> list[float]:
    numbers = [float(x) for x in xs]
    if not numbers:
        raise NoElementsError("of the model")
    return [reduce(total, numbers, 0) / float(len(numbers))]


def listed(xs: list[Any]) -> list[Any]:
    if len(xs) > 3:
        raise BufferOverflowError(
            "to_list: more than max_elements=3 elements; raise it, or use buffer"
        )
    return [xs]


CASES = {
    "reduce": Case(lambda: ops.reduce(shrunk), folded, options=ALL),
    "reduce:seed": Case(
        lambda: ops.reduce(total, 5),
        lambda xs: [reduce(total, xs, 5)],
        options=ALL,
    ),
    "reduce:none": Case(lambda: ops.reduce(first, None), lambda _: [None], options=ALL),
    "sum": Case(ops.sum, lambda xs: [reduce(total, xs, 0)], options=ALL),
    "sum:mapper": Case(lambda: ops.sum(share), lambda xs: [sum(map(share, xs))], options=ALL),
    "average": Case(ops.average, mean, options=ALL),
    "average:mapper": Case(
        lambda: ops.average(share), lambda xs: mean([share(x) for x in xs]), options=ALL
    ),
    "count": Case(ops.count, lambda xs: [len(xs)], options=ALL),
    "count:predicate": Case(
        lambda: ops.count(good),
        lambda xs: [len(list(filter(good, xs)))],
        options=ALL,
    ),
    "to_list": Case(ops.to_list, lambda xs: [xs], options=ALL),
    "to_list:bound": Case(lambda: ops.to_list(max_elements=3), listed, options=ALL),
}
