"""Law cases of `rxml.operators.grouping` and `rxml.operators.windowing`: split, and put together again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rxml
from rxml import operators as ops
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator

AT_ONCE = (
    "a failure of upstream reaches all groups at the same time, whatever each of them still holds"
)
SIDE_BY_SIDE: dict[str, Any] = {"order": "any", "ahead": 3 * 4 + 1, "waived": {"L31": AT_ONCE}}


def share(x: int) -> int:
    return 12 // x % 3


def shared(xs: list[Any]) -> Iterator[Any]:
    for x in xs:
        share(x)
        yield x


def grouped(key: Any, **options: Any) -> Operator[Any, Any]:
    limits: dict[str, Any] = {"max_groups": 3, "capacity": 4, **options}
    return rxml.compose(ops.group_by(key, **limits), ops.flat_map(lambda group: group))


def listed(windows: Operator[Any, Any]) -> Operator[Any, Any]:
    return rxml.compose(windows, ops.concat_map(ops.to_list()))


def cut(count: int, skip: int) -> Callable[[list[Any]], list[Any]]:
    return lambda xs: [xs[at : at + count] for at in range(0, len(xs) + 1, skip)]


def rejoined(source: Flowable[Any]) -> Flowable[Any]:
    return rxml.merge(*ops.partition(odd)(source))


def odd(x: Any) -> bool:
    return bool(x % 2)


def third(x: Any) -> int:
    return int(x % 3)


def known(xs: list[Any]) -> list[Any]:
    return [x for x in xs if x % 2 in {0, 1}]


CASES = {
    "group_by": Case(lambda: grouped(third), known, options=SIDE_BY_SIDE),
    "group_by:failing": Case(lambda: grouped(share), shared, options=SIDE_BY_SIDE),
    "group_by:narrow": Case(
        lambda: grouped(abs, max_groups=6, capacity=1), known, options=SIDE_BY_SIDE
    ),
    "group_by:in turn": Case(
        lambda: rxml.compose(ops.group_by(lambda _: 0), ops.concat_map(lambda group: group)),
        list,
        options={"ahead": 65, "waived": {"L31": AT_ONCE}},
    ),
    "partition": Case(lambda: rejoined, known, options={"order": "any", "ahead": None}),
    "window": Case(lambda: listed(ops.window(count=2)), cut(2, 2), options={"ahead": 4}),
    "window:overlapping": Case(
        lambda: listed(ops.window(count=3, skip=1)), cut(3, 1), options={"ahead": 9}
    ),
    "window:with gaps": Case(
        lambda: listed(ops.window(count=1, skip=2)), cut(1, 2), options={"ahead": None}
    ),
    "window:time": Case(
        lambda: listed(ops.window(seconds=1.5)), None, options={"rate": True, "ahead": None}
    ),
    "window:boundaries": Case(
        lambda: listed(ops.window(rxml.interval(1.5))), None, options={"rate": True, "ahead": None}
    ),
}
