"""Law cases of `rxml.operators.picking`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml import operators as ops
from rxml.flow.empty import NoElementsError, OutOfRangeError
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL: dict[str, Any] = {"ahead": None}


def element(index: int) -> Any:
    """The element of this index, negative from the end."""

    def model(xs: list[Any]) -> list[Any]:
        if not -len(xs) <= index < len(xs):
            raise NoElementsError("of the model")
        return [xs[index]]

    return model


def big(x: int) -> bool:
    return 12 // x > 3


def first_of(xs: list[int]) -> Iterator[int]:
    """The first that passes, which no later failure can change."""
    for x in xs:
        if big(x):
            yield x
            return
    raise NoElementsError("of the model")


def last_of(xs: list[int]) -> Any:
    return element(-1)([x for x in xs if big(x)])


def second(xs: list[Any]) -> list[Any]:
    if len(xs) < 2:
        raise OutOfRangeError("of the model")
    return xs[1:2]


CASES = {
    "first": Case(ops.first, element(0)),
    "first:predicate": Case(lambda: ops.first(big), first_of, options=ALL),
    "last": Case(ops.last, element(-1), options=ALL),
    "last:predicate": Case(lambda: ops.last(big), last_of, options=ALL),
    "element_at": Case(lambda: ops.element_at(1), second),
}
