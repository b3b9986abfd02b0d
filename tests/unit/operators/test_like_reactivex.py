"""Operators named as in reactivex do what reactivex does, for whatever values it takes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
import reactivex
from hypothesis import given, settings
from reactivex import operators as rx

import rxml
from rxml import operators as ops
from rxml.testing.comparing import same

if TYPE_CHECKING:
    from collections.abc import Callable

VALUES = st.one_of(
    st.integers(-3, 3),
    st.none(),
    st.just(float("nan")),
    st.booleans(),
    st.lists(st.integers(0, 1), max_size=2),
    st.just("a"),
)
NAN = float("nan")


def share(x: Any) -> Any:
    return 6 // x


def total(a: Any, b: Any) -> Any:
    return a + b


def truth(x: Any) -> Any:
    return x


def big(x: Any) -> bool:
    return bool(x > 1)


def near(a: Any, b: Any) -> bool:
    return bool(abs(a - b) < 2)


def less(a: Any, b: Any) -> Any:
    return a - b


def told(notification: Any) -> Any:
    return str(notification)


CALLS: dict[str, Callable[[Any], list[Any]]] = {
    "map": lambda o: [o.map(share)],
    "map()": lambda o: [o.map()],
    "starmap": lambda o: [o.pairwise(), o.starmap(total)],
    "scan": lambda o: [o.scan(total)],
    "scan, seed": lambda o: [o.scan(total, 1)],
    "pairwise": lambda o: [o.pairwise()],
    "filter": lambda o: [o.filter(big)],
    "take": lambda o: [o.take(2)],
    "take 0": lambda o: [o.take(0)],
    "take_last": lambda o: [o.take_last(2)],
    "take_last, negative": lambda o: [o.take_last(-1)],
    "take_while": lambda o: [o.take_while(truth)],
    "take_while, inclusive": lambda o: [o.take_while(big, True)],
    "skip": lambda o: [o.skip(2)],
    "skip_last": lambda o: [o.skip_last(2)],
    "skip_last, negative": lambda o: [o.skip_last(-2)],
    "skip_while": lambda o: [o.skip_while(truth)],
    "first": lambda o: [o.first()],
    "first, predicate": lambda o: [o.first(big)],
    "first_or_default": lambda o: [o.first_or_default()],
    "first_or_default, predicate": lambda o: [o.first_or_default(big, 9)],
    "last": lambda o: [o.last()],
    "last, predicate": lambda o: [o.last(big)],
    "last_or_default": lambda o: [o.last_or_default()],
    "last_or_default, predicate": lambda o: [o.last_or_default(9, big)],
    "element_at": lambda o: [o.element_at(1)],
    "element_at_or_default": lambda o: [o.element_at_or_default(1, 9)],
    "distinct": lambda o: [o.distinct()],
    "distinct, key": lambda o: [o.distinct(share)],
    "distinct, comparer": lambda o: [o.distinct(None, near)],
    "distinct_until_changed": lambda o: [o.distinct_until_changed()],
    "distinct_until_changed, key": lambda o: [o.distinct_until_changed(share)],
    "distinct_until_changed, comparer": lambda o: [o.distinct_until_changed(None, near)],
    "default_if_empty": lambda o: [o.default_if_empty()],
    "default_if_empty, value": lambda o: [o.filter(big), o.default_if_empty(9)],
    "ignore_elements": lambda o: [o.ignore_elements()],
    "start_with": lambda o: [o.start_with(1, None)],
    "reduce": lambda o: [o.reduce(total)],
    "reduce, seed": lambda o: [o.reduce(total, 1)],
    "count": lambda o: [o.count()],
    "count, predicate": lambda o: [o.count(big)],
    "sum": lambda o: [o.sum()],
    "sum, mapper": lambda o: [o.sum(share)],
    "average": lambda o: [o.average()],
    "average, mapper": lambda o: [o.average(share)],
    "min, comparer": lambda o: [o.min(less)],
    "max, comparer": lambda o: [o.max(less)],
    "all": lambda o: [o.all(truth)],
    "some": lambda o: [o.some()],
    "some, predicate": lambda o: [o.some(big)],
    "contains": lambda o: [o.contains([1])],
    "contains, nan": lambda o: [o.contains(NAN)],
    "contains, comparer": lambda o: [o.contains(1, near)],
    "is_empty": lambda o: [o.is_empty()],
    "to_list": lambda o: [o.to_list()],
    "materialize": lambda o: [o.map(share), o.materialize(), o.map(told)],
    "dematerialize": lambda o: [o.materialize(), o.dematerialize()],
    "do_action": lambda o: [o.do_action(share)],
}


def as_reactivex(elements: list[Any], operators: list[Any]) -> tuple[list[Any], type | None]:
    """What comes out there, and the class of the error."""
    found: list[Any] = []
    errors: list[Exception] = []
    reactivex.from_iterable(elements).pipe(*operators).subscribe(found.append, errors.append)
    return found, type(errors[0]) if errors else None


def as_rxml(elements: list[Any], operators: list[Any]) -> tuple[list[Any], type | None]:
    """What comes out here."""
    found: list[Any] = []

    async def main() -> None:
        async with rxml.from_iterable(elements).pipe(*operators).open() as subscription:
            while not (chunk := await subscription.request(3)).end:
                found.extend(chunk.elements)

    try:
        asyncio.run(main())
    except Exception as error:  # noqa: BLE001 - compared
        return found, type(error)
    return found, None


FEWER = settings(max_examples=max(1, settings().max_examples // 4))
"""There are many operators."""


@pytest.mark.parametrize("name", CALLS)
@FEWER
@given(st.lists(VALUES, max_size=8))
def test_the_result_is_that_of_reactivex(name: str, elements: list[Any]) -> None:
    theirs, their_error = as_reactivex(elements, CALLS[name](rx))
    ours, our_error = as_rxml(elements, CALLS[name](ops))
    assert same(ours, theirs)
    assert (our_error is None) == (their_error is None)
    assert our_error is None or issubclass(our_error, their_error or ())


@pytest.mark.parametrize("name", ["min", "max"])
@given(st.lists(st.one_of(st.integers(-3, 3), st.floats(), st.booleans()), max_size=8))
def test_extremes_of_numbers_are_those_of_reactivex(name: str, elements: list[Any]) -> None:
    """Of what cannot be subtracted, such as texts, only rxml tells the extremes."""
    theirs = as_reactivex(elements, [getattr(rx, name)()])
    ours = as_rxml(elements, [getattr(ops, name)()])
    assert same(ours[0], theirs[0])
    assert bool(ours[1]) == bool(theirs[1])
    assert as_rxml(["b", "a"], [getattr(ops, name)()])[0] == [min("ab") if name == "min" else "b"]


@pytest.mark.parametrize("name", ["take", "skip", "element_at", "element_at_or_default"])
def test_a_negative_count_is_the_error_that_it_is_there(name: str) -> None:
    with pytest.raises(ValueError, match=r"Argument out of range"):
        reactivex.of(1).pipe(getattr(rx, name)(-1))
    with pytest.raises(ValueError, match=rf"{name} wants an int >= 0, got -1"):
        getattr(ops, name)(-1)
