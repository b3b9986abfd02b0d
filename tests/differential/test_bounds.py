"""Where a bound of ours, or demand, makes a namesake differ from reactivex: at the bound it is the same, past it not."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from reactivex.scheduler.eventloop import AsyncIOScheduler

from rxml.errors import BufferOverflowError
from rxml.testing.virtual_time import run
from tests.unit.operators.live import live, record
from tests.unit.operators.loose import ops, reactivex, rx, rxml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def ours(values: Iterable[Any], *operators: Any) -> list[Any]:
    return run(rxml.from_iterable(list(values)).pipe(*operators).to_list())


def theirs(values: Iterable[Any], *operators: Any) -> list[Any]:
    out: list[Any] = []
    reactivex.from_iterable(list(values)).pipe(*operators).subscribe(out.append)
    return out


def test_distinct_remembers_a_hundred_thousand_keys() -> None:
    at = [*range(100_000), 0]
    assert ours(at, ops.distinct(), ops.count()) == [100_000]
    past = [*range(100_001), 0]
    assert ours(past, ops.distinct(), ops.count()) == [100_002]
    assert ours(past, ops.distinct(max_keys=200_000), ops.count()) == [100_001]
    few = [1, 2, 3, 1]
    assert theirs(few, rx.distinct()) == [1, 2, 3] == ours(few, ops.distinct(max_keys=3))
    assert ours(few, ops.distinct(max_keys=2)) == few


@pytest.mark.parametrize(("elements", "lists"), [(9_999, 1), (10_001, 2)])
def test_buffer_cuts_a_list_at_ten_thousand_elements(elements: int, lists: int) -> None:
    values = range(elements)
    (whole,) = theirs(values, rx.buffer(reactivex.never()))
    cut = ours(values, ops.buffer(rxml.never()))
    assert len(cut) == lists
    assert [x for part in cut for x in part] == whole
    assert ours(values, ops.buffer(rxml.never(), count=20_000)) == [whole]


@pytest.mark.parametrize(("keys", "fits"), [(256, True), (257, False)])
def test_group_by_fails_at_the_257th_key(keys: int, fits: bool) -> None:
    counted = ops.flat_map(lambda group: group.pipe(ops.count()))
    if fits:
        assert ours(range(keys), ops.group_by(lambda x: x), counted) == [1] * keys
    else:
        with pytest.raises(BufferOverflowError, match="256"):
            ours(range(keys), ops.group_by(lambda x: x), counted)
    assert len(theirs(range(keys), rx.group_by(lambda x: x), rx.flat_map(lambda g: g))) == keys
    with_room = ops.group_by(lambda x: x, max_groups=300)
    wide = ops.flat_map(lambda group: group, concurrency=300)
    assert len(ours(range(keys), with_room, wide)) == keys


@pytest.mark.parametrize(("inner", "most"), [(256, 256), (257, 256)])
def test_flat_map_opens_256_streams_at_once(inner: int, most: int) -> None:
    seen: list[int] = []
    opened = 0

    def project(x: int) -> Any:
        def begin(_: Any) -> Any:
            nonlocal opened
            opened += 1
            seen.append(opened)
            return rxml.timer(1)

        def left() -> None:
            nonlocal opened
            opened -= 1

        return rxml.of(x).pipe(ops.flat_map(begin), ops.finally_action(left))

    assert len(ours(range(inner), ops.flat_map(project))) == inner
    assert max(seen) == most


def test_replay_keeps_the_newest_1024() -> None:
    async def main() -> tuple[int, int]:
        shared = rxml.range(1025).pipe(ops.replay())
        first = await shared.to_list()
        return len(first), len(await shared.to_list())

    assert run(main()) == (1025, 1024)


def test_to_list_holds_a_million_elements() -> None:
    assert len(ours(range(5), ops.to_list(max_elements=5))[0]) == 5
    with pytest.raises(BufferOverflowError):
        ours(range(6), ops.to_list(max_elements=5))
    with pytest.raises(BufferOverflowError, match=r"1[,_]?000[,_]?000"):
        run(rxml.range(1_000_001).pipe(ops.to_list()).to_list())


def test_an_error_overtakes_an_open_stream_in_reactivex_and_waits_for_it_in_ours() -> None:
    """`concat_map`: the second element comes at 2 s, its function fails, the first one's stream goes on until 2.5 s."""

    def project(timer: Callable[[float], Any]) -> Callable[[int], Any]:
        return lambda x: [1 // (1 - x)] and timer(1.5)

    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        flow = live([(1.0, 0), (2.0, 1)], 9.0)
        waited = await record(flow.pipe(ops.concat_map(project(rxml.timer))))
        began, failed = loop.time(), loop.create_future()
        reactivex.timer(1.0, 1.0).pipe(rx.concat_map(project(reactivex.timer))).subscribe(
            on_error=lambda _: failed.set_result(loop.time() - began),
            scheduler=AsyncIOScheduler(loop),
        )
        return waited[-1][0], await failed

    waited, overtook = run(main())
    assert waited == 2.5
    assert overtook == pytest.approx(2.0, abs=0.001)
