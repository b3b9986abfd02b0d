"""share: what stands upstream runs apart, and is supervised and counted all the same."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownParameterType=false

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

from rxml.flow.run import Run
from rxml.testing import run
from tests.unit.operators.loose import ops, rxml
from tests.unit.operators.reading import exhausted


def inverted(*numbers: int) -> Any:
    return rxml.of(*numbers).pipe(ops.map(lambda x: 1 / x))


def overflowing() -> Any:
    """Ten elements at once, of which two are held and eight dropped."""

    def register(emitter: Any) -> None:
        for number in range(10):
            emitter.on_next(number)
        emitter.on_completed()

    return rxml.from_callback(register, capacity=2, overflow="drop_oldest")


@pytest.mark.parametrize("operator", [ops.share(), ops.replay(3)])
def test_upstream_answers_to_the_supervisor_of_its_subscriber(operator: Any) -> None:
    letters: list[Any] = []
    supervise = ops.supervise("resume", dead_letters=letters.append)
    assert run(inverted(1, 0, 2).pipe(operator, supervise).to_list()) == [1.0, 0.5]
    assert [(letter.element, letter.stage) for letter in letters] == [(0, "map(<lambda>)")]


def test_the_first_subscriber_decides_for_all() -> None:
    shared = inverted(1, 0, 2).pipe(ops.share())

    async def main() -> Any:
        supervised = shared.pipe(ops.supervise("resume"))
        return await asyncio.gather(supervised.to_list(), shared.to_list())

    assert run(main()) == [[1.0, 0.5]] * 2


def test_a_supervisor_upstream_of_the_share_is_nearer() -> None:
    flow = inverted(1, 0, 2).pipe(ops.supervise("stop"), ops.share(), ops.supervise("resume"))
    with pytest.raises(ZeroDivisionError):
        run(flow.to_list())


@pytest.mark.parametrize("operator", [ops.share(), ops.replay(3)])
def test_what_is_counted_upstream_is_shown_to_each_run_that_reads(operator: Any) -> None:
    async def main() -> list[Any]:
        flow = overflowing().pipe(ops.map(lambda x: x), operator)
        async with Run[Any](flow) as one, Run[Any](flow) as other:
            await asyncio.gather(exhausted(one), exhausted(other))
            return [one.statistics().stages, other.statistics().stages]

    for stages in run(main()):
        assert [(stage.emitted, stage.dropped) for stage in stages] == [(2, 8), (2, 0), (2, 0)]


def test_while_it_goes_on_too_and_with_what_is_held() -> None:
    async def main() -> list[tuple[int, int]]:
        flow = rxml.range(100).pipe(ops.prefetch(10), ops.share())
        async with Run[Any](flow) as running:
            await running.subscription.request(3)
            await asyncio.sleep(1)
            return [(each.emitted, each.buffered) for each in running.statistics().stages]

    assert run(main()) == [(13, 0), (3, 10), (3, 0)]


def test_a_run_shows_what_was_counted_while_it_read() -> None:
    async def main() -> list[list[int]]:
        shared = rxml.range(100).pipe(ops.share())
        async with Run[Any](shared) as early:
            await early.subscription.request(5)
            async with Run[Any](shared.pipe(ops.take(1), ops.repeat(3))) as late:
                await asyncio.gather(exhausted(late), early.subscription.request(3))
                await early.subscription.request(9)
                await early.subscription.request(9)
                return [
                    [stage.emitted for stage in each.statistics().stages] for each in (early, late)
                ]

    early, late = run(main())
    assert early[0] >= early[1] >= 8
    assert late[:3] == [5, 3, 3], "it missed two of the three that the other one asked for"


def test_stages_behind_two_shares_are_counted_once() -> None:
    first = rxml.interval(1).pipe(ops.take(10), ops.share())
    second = first.pipe(ops.map(lambda x: -x), ops.share())

    async def main() -> list[tuple[str, int]]:
        async with Run[Any](rxml.zip(second, first, second)) as running:
            assert len(await exhausted(running)) == 10
            return [(each.name, each.emitted) for each in running.statistics().stages]

    assert run(main()) == [
        ("interval(1)", 10),
        ("take(10)", 10),
        ("share", 20),
        ("map(<lambda>)", 10),
        ("share #2", 20),
        ("zip", 10),
    ]


def test_broadcasts_that_follow_one_another_add_up_and_are_forgotten() -> None:
    alive: weakref.WeakSet[Any] = weakref.WeakSet()

    class Element:
        def __init__(self) -> None:
            alive.add(self)

    async def main() -> tuple[int, int]:
        shared = rxml.from_iterable(lambda: (Element() for _ in range(4))).pipe(ops.share())
        async with Run[Any](shared.pipe(ops.repeat(20))) as running:
            await exhausted(running)
            gc.collect()
            return running.statistics().stages[0].emitted, len(alive)

    assert run(main()) == (80, 0)
