"""What has been handed on is kept by nobody, while a stream waits for more; and a drained run loses nothing."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from rxml.testing import run
from tests.unit.operators.loose import ops, rxml

if TYPE_CHECKING:
    from collections.abc import Callable


class Thing:
    """An element that can be watched."""


async def itself(x: Any) -> Any:
    await asyncio.sleep(0)
    return x


def first(pair: Any) -> Any:
    return pair[0]


FORMS: dict[str, Callable[[Any], Any]] = {
    "map_async": lambda s: s.pipe(ops.map_async(itself, concurrency=3)),
    "map_async, unordered": lambda s: s.pipe(ops.map_async(itself, concurrency=3, ordered=False)),
    "map_async, key": lambda s: s.pipe(ops.map_async(itself, concurrency=3, key=id)),
    "flat_map": lambda s: s.pipe(ops.flat_map(lambda x: [x])),
    "flat_map, flow": lambda s: s.pipe(ops.flat_map(rxml.of)),
    "flat_map, coroutine": lambda s: s.pipe(ops.flat_map(itself)),
    "concat_map": lambda s: s.pipe(ops.concat_map(lambda x: [x])),
    "concat_map, coroutine": lambda s: s.pipe(ops.concat_map(itself)),
    "merge": lambda s: rxml.merge(s, rxml.never()),
    "zip": lambda s: rxml.zip(s, rxml.repeat_value(0)).pipe(ops.map(first)),
    "prefetch": lambda s: s.pipe(ops.prefetch(2)),
    "group_by": lambda s: s.pipe(ops.group_by(lambda _: 0), ops.flat_map(lambda group: group)),
    "window": lambda s: s.pipe(ops.window(count=2), ops.concat_map(lambda window: window)),
    "partition": lambda s: s.pipe(ops.partition(lambda _: True))[0],
}


@pytest.mark.parametrize("form", FORMS)
def test_what_was_handed_on_can_be_collected(form: str) -> None:
    things = [Thing() for _ in range(6)]
    watched = [weakref.ref(thing) for thing in things]

    async def main() -> None:
        source = rxml.concat(
            rxml.from_iterable(lambda: (things.pop() for _ in range(6))), rxml.never()
        )
        async with FORMS[form](source).open() as subscription:
            for _ in range(6):
                await subscription.request(1)
            asking = asyncio.ensure_future(subscription.request(1))
            await asyncio.sleep(1)
            gc.collect()
            assert [ref for ref in watched if ref() is not None] == []
            asking.cancel()
            await asyncio.wait([asking])

    run(main())


@pytest.mark.parametrize("form", FORMS)
def test_a_run_that_is_drained_gives_what_is_in_flight_and_ends(form: str) -> None:
    got: list[Any] = []

    async def main() -> bool:
        source = rxml.concat(rxml.of(1, 2, 3, 4), rxml.never())
        flow = FORMS[form](source).pipe(ops.do_action(got.append))
        async with flow.start() as started:
            await asyncio.sleep(1)
            return bool(await started.drain(10))

    assert run(main())
    assert got == [1, 2, 3, 4]
