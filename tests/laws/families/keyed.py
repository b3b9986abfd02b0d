"""Law cases of `rxml.operators.keyed`, and of `key_by` with what may stand behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import aggregates as agg
from rxml import operators as ops
from rxml.flow.compose import compose
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rxml.flow.operator import Operator

PAIRS = st.tuples(st.integers(0, 2), st.integers(-3, 6))
LEFT_OUT: dict[str, Any] = {"ahead": None}


def key(pair: tuple[int, int]) -> int:
    return 6 // (2 - pair[0]) % 5


def instant(pair: tuple[int, int]) -> int:
    return pair[1]


def quotient(total: int, pair: tuple[int, int]) -> int:
    return total + 12 // pair[1]


def behind(operator: Callable[[], Operator[Any, Any]], **bounds: Any) -> Callable[[], Any]:
    return lambda: compose(ops.key_by(key, **bounds), operator())


def scanned(most: int) -> Callable[[list[Any]], Iterator[int]]:
    def model(pairs: list[Any]) -> Iterator[int]:
        totals: dict[int, int] = {}
        for pair in pairs:
            total = totals.pop(key(pair), 0)
            if len(totals) == most:
                del totals[next(iter(totals))]
            totals[key(pair)] = quotient(total, pair)
            yield totals[key(pair)]

    return model


def newest(pairs: list[Any]) -> Iterator[Any]:
    known: dict[int, int] = {}
    for pair in pairs:
        if pair[1] >= known.get(key(pair), pair[1]):
            known[key(pair)] = pair[1]
            yield pair


def once(pairs: list[Any]) -> Iterator[Any]:
    passed: dict[Any, list[int]] = {}
    for pair in pairs:
        times = passed.setdefault((key(pair), pair[0]), [])
        if all(abs(each - pair[1]) > 2 for each in times):
            times.append(pair[1])
            yield pair


def counted(pairs: list[Any]) -> Iterator[dict[str, int]]:
    totals: dict[int, list[int]] = {}
    for pair in pairs:
        values = totals.setdefault(key(pair), [])
        values.append(pair[1])
        yield {"key": key(pair), "n": len(values), "total": sum(values)}


CASES = {
    "key_by": Case(behind(ops.map), iter, PAIRS),
    "scan:key": Case(behind(lambda: ops.scan(quotient, 0)), scanned(99), PAIRS),
    "scan:max_keys": Case(behind(lambda: ops.scan(quotient, 0), max_keys=1), scanned(1), PAIRS),
    "latest": Case(behind(lambda: ops.latest(time=instant)), newest, PAIRS, options=LEFT_OUT),
    "deduplicate": Case(
        behind(lambda: ops.deduplicate(lambda pair: pair[0], 2e-9, time=instant)),
        once,
        PAIRS,
        options=LEFT_OUT,
    ),
    "aggregate": Case(
        behind(lambda: ops.aggregate(n=agg.count(), total=agg.sum(instant))), counted, PAIRS
    ),
}
