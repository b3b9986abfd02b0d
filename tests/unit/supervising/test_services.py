"""A service whose run fails as a whole: who waits is told why, and a tree takes over when it fails too often."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from rxml import compose
from rxml import operators as ops
from rxml.errors import EscalatedError, StreamClosedError
from rxml.flow.chunk import END, Chunk
from rxml.flow.kinds import stage
from rxml.flow.node import Cardinality
from rxml.flow.service import Service
from rxml.flow.stage import Stage
from rxml.resilience import Backoff, Intensity
from rxml.supervising import SupervisionTree
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator


class Doomed(Stage[Any]):
    """Holds what comes for a second; then the whole run fails, or ends, for an element < 0."""

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._head = env.open(node.sources[0])

    async def pull(self, n: int) -> Chunk[Any]:  # type: ignore[explicit-override]
        chunk = await self._head.request(n)
        await asyncio.sleep(1)
        if any(each == -1 for each in chunk.elements):
            raise OSError("the disk is gone")
        return END if any(each == -2 for each in chunk.elements) else chunk

    async def release(self) -> None:  # type: ignore[explicit-override]
        await self.release_all(self._head.cancel)


def doomed() -> Operator[Any, Any]:
    return stage("doomed", Doomed, cardinality=Cardinality.ONE)


async def outcome(asked: asyncio.Future[Any]) -> Any:
    return (await asyncio.gather(asked, return_exceptions=True))[0]


def test_who_waits_when_a_run_fails_is_told_that_and_not_that_it_was_late() -> None:
    async def forever(x: int) -> int:
        if x < 0:
            await asyncio.sleep(2)
        else:
            await asyncio.sleep(1e6)
        return x

    async def main() -> Any:
        operator = compose(ops.map_async(forever, concurrency=8, ordered=False), doomed())
        async with Service(operator) as service:
            asked = [service.ask(1), service.ask(-1), service.ask(2, within=1000)]
            return await asyncio.gather(*map(outcome, asked))

    got = run(main())
    assert [type(each) for each in got] == [StreamClosedError] * 3
    assert all(str(each).startswith("the service has failed") for each in got)


def test_an_operator_that_ends_by_itself_has_failed_and_nobody_waits_for_ever() -> None:
    async def main() -> Any:
        async with Service(doomed()) as service:
            told = await outcome(service.ask(-2))
            await asyncio.sleep(1)
            return told, await service.ask(3)

    told, answer = run(main())
    assert isinstance(told, StreamClosedError)
    assert "ended by itself" in str(told)
    assert answer == 3


def test_the_waits_do_not_stay_long_for_what_failed_long_ago() -> None:
    async def main() -> Any:
        async with Service(doomed()) as service:
            for _ in range(20):
                await outcome(service.ask(-1))
                await asyncio.sleep(60)
            await outcome(service.ask(-1))
            await asyncio.sleep(0.11)
            return await service.ask(1)

    assert run(main()) == 1


def test_alone_it_tries_on_and_in_a_tree_it_escalates() -> None:
    def made() -> Service[Any, Any]:
        return Service(doomed(), intensity=Intensity(1, 30.0, backoff=Backoff(0.0)))

    async def alone() -> Any:
        async with made() as service:
            for _ in range(2):
                await outcome(service.ask(-1))
                await asyncio.sleep(0.1)
            refused = await outcome(service.ask(1))
            await asyncio.sleep(10)
            return refused, await service.ask(1)

    refused, answer = run(alone())
    assert "begins anew" in str(refused)
    assert answer == 1

    async def tree() -> None:
        service = made()
        async with SupervisionTree(service, restarts=0):
            assert await service.ask(1) == 1
            for _ in range(2):
                await outcome(service.ask(-1))
                await asyncio.sleep(0.1)
            assert isinstance(await outcome(service.ask(1)), StreamClosedError)

    with pytest.raises(EscalatedError, match="tree: Service EscalatedError: a service has failed too often"):  # fmt: skip
        run(tree())


def test_a_service_in_a_tree_answers_and_tells_who_waits_when_the_tree_ends() -> None:
    async def main() -> Any:
        service = Service(doomed())
        async with SupervisionTree(service):
            assert await service.ask(1) == 1
            waiting = service.ask(2)
        return await outcome(waiting)

    assert str(run(main())) == "the service has ended"
