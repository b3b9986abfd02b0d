"""share: readers that wait for one another are told so; others are waited for."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownParameterType=false

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rxml.errors import BufferOverflowError
from rxml.flow.run import Run
from rxml.testing import DeadlockError, run
from tests.unit.operators.loose import ops, rxml
from tests.unit.operators.reading import exhausted


def ahead(shared: Any) -> Any:
    return rxml.zip(shared, shared.pipe(ops.skip(3000)))


def test_readers_of_one_run_that_wait_for_one_another_are_told_so() -> None:
    async def main() -> float:
        with pytest.raises(
            BufferOverflowError, match=r"share: a reader has waited for 30 s.*raise it"
        ):
            await ahead(rxml.range(9999).pipe(ops.share(lag=20))).to_list()
        return asyncio.get_running_loop().time()

    assert run(main()) == 30


def test_what_is_near_enough_goes_on() -> None:
    assert len(run(ahead(rxml.range(9999).pipe(ops.share(lag=3000))).to_list())) == 6999


def test_nobody_else_is_hurt_by_those_who_wait_for_one_another() -> None:
    async def main() -> Any:
        shared = rxml.interval(1).pipe(ops.take(3000), ops.share(lag=20, patience=5))
        other = asyncio.create_task(shared.to_list())
        with pytest.raises(BufferOverflowError):
            await ahead(shared).to_list()
        return await other

    assert run(main()) == list(range(3000))


def test_a_reader_of_another_run_is_waited_for() -> None:
    async def main() -> int:
        shared = rxml.range(30).pipe(ops.share(lag=4))
        async with Run[Any](shared) as slow:
            fast = asyncio.create_task(shared.to_list())
            await slow.subscription.request(1)
            await asyncio.sleep(10_000)
            await exhausted(slow)
            return len(await fast)

    assert run(main()) >= 29


def test_a_reader_that_is_only_slow_is_waited_for() -> None:
    async def slow(x: int) -> int:
        await asyncio.sleep(20)
        return x

    async def main() -> int:
        shared = rxml.range(9).pipe(ops.share(lag=1))
        both = rxml.merge(shared, shared.pipe(ops.map_async(slow, concurrency=1)))
        return len(await both.to_list())

    assert run(main()) >= 17  # one of them may miss the first


def test_without_patience_they_wait_for_ever() -> None:
    flow = ahead(rxml.range(9999).pipe(ops.share(lag=20, patience=None)))
    with pytest.raises(DeadlockError):
        run(flow.to_list())


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest", "detach"])
def test_under_the_other_policies_nobody_waits(policy: str) -> None:
    async def main() -> float:
        await ahead(rxml.range(9999).pipe(ops.share(lag=20, policy=policy))).to_list()
        return asyncio.get_running_loop().time()

    assert run(main()) == 0


def test_patience_is_a_duration() -> None:
    for operator in (ops.share, ops.replay, lambda **options: ops.partition(bool, **options)):
        with pytest.raises(ValueError, match="patience"):
            operator(patience=-1)


def test_the_parts_of_a_partition_wait_for_one_another_no_longer_than_that() -> None:
    odd, even = rxml.range(9999).pipe(ops.partition(lambda x: x > 5000, lag=4, patience=7))
    with pytest.raises(BufferOverflowError, match="waited for 7 s"):
        run(rxml.zip(odd, even).to_list())
