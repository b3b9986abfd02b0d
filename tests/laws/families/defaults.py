"""Law cases of `rxml.operators.defaults`."""

from __future__ import annotations

from typing import Any

from rxml import operators as ops
from tests.laws.case import Case

ALL: dict[str, Any] = {"ahead": None}
DEFAULT = "none"


def large(x: int) -> bool:
    return x > 3


def big(xs: list[int]) -> list[int]:
    return list(filter(large, xs))


CASES = {
    "default_if_empty": Case(lambda: ops.default_if_empty(DEFAULT), lambda xs: xs or [DEFAULT]),
    "default_if_empty:none": Case(ops.default_if_empty, lambda xs: xs or [None]),
    "first_or_default": Case(
        lambda: ops.first_or_default(default_value=DEFAULT), lambda xs: xs[:1] or [DEFAULT]
    ),
    "first_or_default:predicate": Case(
        lambda: ops.first_or_default(large, DEFAULT),
        lambda xs: big(xs)[:1] or [DEFAULT],
        options=ALL,
    ),
    "last_or_default": Case(
        lambda: ops.last_or_default(DEFAULT), lambda xs: xs[-1:] or [DEFAULT], options=ALL
    ),
    "last_or_default:predicate": Case(
        lambda: ops.last_or_default(DEFAULT, large),
        lambda xs: big(xs)[-1:] or [DEFAULT],
        options=ALL,
    ),
    "element_at_or_default": Case(
        lambda: ops.element_at_or_default(2, DEFAULT), lambda xs: xs[2:3] or [DEFAULT]
    ),
}
