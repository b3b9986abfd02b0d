"""Columns of elements: names with dots, methods that are none, and functions that are called once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml.batch.batch import Batch
from rxml.errors import PipelineError, SchemaError
from rxml.eventtime import punctuated
from rxml.eventtime.reading import read
from rxml.testing.virtual_time import run


class Point(NamedTuple):
    x: int


class Holder:
    def __init__(self, **values: Any) -> None:
        vars(self).update(values)

    def title(self) -> str:
        return "a method"


def test_a_name_with_dots_is_found_in_rows_as_in_batches() -> None:
    inner = {"c": 5}
    batch = Batch({"a.b": np.array([inner], object)})
    for items in (batch, list(batch), [{"a.b": inner}], [Holder(**{"a.b": inner})]):
        assert list(read(items, "a.b.c")) == [5]
    assert read([{"a": {"b.c": 1}}, {"a": Holder(b=inner)}, {"a.b.c": 2}], "a.b.c") == [1, 5, 2]
    for wrong in ("a.b.d", "b.c"):
        with pytest.raises(SchemaError, match=r"an element has no '[db]'"):
            read([{"a.b": inner}], wrong)


@pytest.mark.parametrize(
    ("item", "name"),
    [((1, 2), "count"), ("abc", "title"), (Holder(), "title"), ([1], "__len__"), (3, "__add__")],
)
def test_a_method_is_no_column(item: Any, name: str) -> None:
    with pytest.raises(SchemaError, match=f"an element has no '{name}': it is a "):
        read([item], name)


def test_what_is_stored_under_the_name_of_a_method_is_a_column() -> None:
    assert read([Holder(title=4), {"title": 5}], "title") == [4, 5]
    assert read([Point(3)], "x") == [3]


def test_a_key_is_read_once_for_each_element() -> None:
    seen: list[int] = []

    def parity(number: int) -> int:
        seen.append(number)
        return number % 2

    for most in (None, 1):
        seen.clear()
        by: Any = ops.key_by(parity, max_keys=most)
        rows = run(rxml.of(1, 2, 3).pipe(by, ops.aggregate(n=agg.count())).to_list())
        assert [row["parity"] for row in rows] == [1, 0, 1]
        assert seen == [1, 2, 3]


async def later(_: Any) -> int:
    return 1


def plain(*_: Any) -> int:
    return 1


# what no type checker would let through
make: Any = agg
keys: Any = ops
punctual: Any = punctuated

ARGUMENTS: list[tuple[Any, type[Exception], str]] = [
    (lambda: punctual(3), PipelineError, "punctuated wants a function that gives a time"),
    (lambda: punctual(later), TypeError, r"punctuated\(later\): a coroutine function"),
    (lambda: punctual(plain, unit="h"), ValueError, "punctuated wants a unit of ns, us, ms, s"),
    (lambda: make.sum(later), TypeError, r"an aggregate\(later\): a coroutine function"),
    (lambda: make.monoid(0, later, plain), TypeError, r"monoid\(lift\)\(later\): a coroutine"),
    (lambda: make.monoid(0, plain, later), TypeError, r"monoid\(combine\)\(later\): a coroutine"),
    (lambda: make.monoid(0, plain, plain, column=3), TypeError, r"got 3 \(int\) for a column"),
    (lambda: make.quantile("x", True), TypeError, r"q is True \(bool\): give a number"),
    (lambda: make.quantile("x", "0.5"), TypeError, r"q is '0.5' \(str\): give a number"),
    (lambda: make.quantiles("x", 0.5), TypeError, r"q is 0.5 \(float\): give a sequence"),
    (lambda: make.quantiles("x", "0.5"), TypeError, r"q is '0.5' \(str\): give a sequence"),
    (lambda: keys.key_by("k", max_keys=True), PipelineError, "wants an int >= 1, got True"),
]


@pytest.mark.parametrize(("given", "error", "message"), ARGUMENTS)
def test_arguments_that_make_no_sense_are_refused(given: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        given()


def test_quantiles_may_be_given_as_an_array() -> None:
    assert repr(make.quantiles("x", np.array([0.5, 1]))) == repr(make.quantiles("x", (0.5, 1)))
