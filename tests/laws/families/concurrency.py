"""Law cases of `rxml.operators.concurrency`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import rxml
from rxml import operators as ops
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from rxml.flow.flowable import Flowable

AT_ONCE = "a failure of upstream closes the streams that have to be waited for"


async def share(x: int) -> int:
    """Fails for 0; how long it takes depends on the element."""
    for _ in range(x * x % 3):
        await asyncio.sleep(0)
    return 12 // x


async def double(x: int) -> int:
    await asyncio.sleep(0)
    return 2 * x


def shares(xs: list[Any]) -> Iterator[int]:
    return (12 // x for x in xs)


def twice(x: int) -> list[int]:
    return [x, 12 // x]


def lazily(x: int) -> Iterator[int]:
    yield x
    yield 12 // x


async def slowly(x: int) -> AsyncIterator[int]:
    yield x
    await asyncio.sleep(0)
    yield x + 1


def flow(x: int) -> Flowable[int]:
    return rxml.of(x, x + 1)


def flat(function: Callable[[Any], Iterable[Any]]) -> Callable[[list[Any]], Iterable[Any]]:
    return lambda xs: (result for x in xs for result in function(x))


def side_by_side(concurrency: int, *waived: str) -> dict[str, Any]:
    return {"order": "any", "ahead": concurrency, "waived": dict.fromkeys(waived, AT_ONCE)}


CASES = {
    "map_async": Case(lambda: ops.map_async(share, concurrency=3), shares, options={"ahead": 3}),
    "map_async:one": Case(
        lambda: ops.map_async(share, concurrency=1), shares, options={"ahead": 1}
    ),
    "map_async:roomy": Case(
        lambda: ops.map_async(share, concurrency=2, capacity=5), shares, options={"ahead": 5}
    ),
    "map_async:unordered": Case(
        lambda: ops.map_async(share, concurrency=3, ordered=False), shares, options=side_by_side(3)
    ),
    "map_async:key": Case(
        lambda: ops.map_async(share, concurrency=2, key=abs), shares, options=side_by_side(8)
    ),
    "flat_map": Case(lambda: ops.flat_map(twice), flat(twice), options=side_by_side(256)),
    "flat_map:lazy": Case(
        lambda: ops.flat_map(lazily, concurrency=2), flat(lazily), options=side_by_side(2)
    ),
    "flat_map:flow": Case(
        lambda: ops.flat_map(flow, concurrency=3),
        flat(lambda x: (x, x + 1)),
        options=side_by_side(3, "L31"),
    ),
    "flat_map:async": Case(
        lambda: ops.flat_map(double, concurrency=3),
        flat(lambda x: (2 * x,)),
        options=side_by_side(3, "L31"),
    ),
    "concat_map": Case(lambda: ops.concat_map(twice), flat(twice), options={"ahead": 1}),
    "concat_map:lazy": Case(lambda: ops.concat_map(lazily), flat(lazily), options={"ahead": 1}),
    "concat_map:flow": Case(
        lambda: ops.concat_map(lambda x: rxml.of(x, 12 // x)), flat(twice), options={"ahead": 1}
    ),
    "concat_map:slow": Case(
        lambda: ops.concat_map(slowly), flat(lambda x: (x, x + 1)), options={"ahead": 1}
    ),
    "concat_map:async": Case(
        lambda: ops.concat_map(share), flat(lambda x: (12 // x,)), options={"ahead": 1}
    ),
    "switch_map": Case(lambda: ops.switch_map(flow), None, options={"rate": True, "ahead": None}),
    "switch_map:async": Case(
        lambda: ops.switch_map(share), None, options={"rate": True, "ahead": None}
    ),
}
