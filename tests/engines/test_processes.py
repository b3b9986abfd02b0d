from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Field, Schema
from rxml.engines import processes
from rxml.engines.pool import Pool
from rxml.errors import ModelError, WireError, WorkerLostError
from rxml.models.model import Recipe
from tests.engines import scorers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

X = Schema.of(x="float64")


def model(function: Callable[[Batch], Any], **how: Any) -> models.Model:
    return models.from_function(function, inputs=how.pop("inputs", X), **how)


@asynccontextmanager
async def pool(function: Callable[[Batch], Any], **how: Any) -> AsyncGenerator[Any]:
    """Workers, and an event that is set whenever one may have become idle."""
    ready = asyncio.Event()
    inputs = how.pop("model", {})
    workers = await processes(**how).open(model(function, **inputs), ready.set)
    assert isinstance(workers, Pool)
    try:
        yield workers, ready
    finally:
        await workers.close()


async def scored(workers: Any, *xs: float) -> Any:
    return await told(workers, Batch({"x": np.array(xs)}))


async def told(workers: Any, batch: Batch) -> Any:
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def done(result: Any, seconds: float) -> None:
        future.set_result(result)

    workers.start(batch, done)
    return await future


async def idle(workers: Any, ready: asyncio.Event) -> None:
    await until(ready, lambda: workers.idle > 0)


async def until(ready: asyncio.Event, true: Callable[[], bool]) -> None:
    while not true():
        ready.clear()
        await ready.wait()


def test_what_comes_back_is_what_the_model_gives_here() -> None:
    async def main() -> None:
        async with pool(scorers.double) as (workers, _):
            for xs in ([1.0], [], list(range(1000)), [float("nan"), 1e300]):
                batch = Batch({"x": np.array(xs, float)})
                assert await told(workers, batch) == model(scorers.double).predict(batch)

    asyncio.run(main())


def test_texts_and_what_is_too_large_for_the_shared_memory_travel_too() -> None:
    texts = Schema([Field("name", "str")])
    wide = Schema([Field("value", "float64", (50_000,))])

    async def main() -> None:
        how = {"inputs": texts, "outputs": Schema([Field("value", "str")])}
        async with pool(scorers.named, model=how) as (workers, _):
            got = await told(workers, Batch({"name": ["a", "ü"]}))
            assert got["value"].tolist() == ["a!", "ü!"]
        async with pool(scorers.large, model={"outputs": wide}, shared_bytes=65536) as (workers, _):
            got = await scored(workers, 1.0, 2.0)
            assert got["value"].shape == (2, 50_000)
            assert got["value"][1, -1] == 2.0

    asyncio.run(main())


def test_what_the_model_raises_comes_back_and_the_worker_goes_on() -> None:
    async def main() -> None:
        async with pool(scorers.picky) as (workers, _):
            before = workers.pids
            error = await scored(workers, -1.0)
            assert isinstance(error, ValueError)
            assert str(error) == "negative"
            assert (await scored(workers, 4.0))["value"].tolist() == [4.0]
            assert workers.pids == before

    asyncio.run(main())


def test_a_worker_that_is_killed_tells_its_batch_and_is_replaced() -> None:
    async def main() -> None:
        async with pool(scorers.slow) as (workers, ready):
            (before,) = workers.pids
            batch = asyncio.ensure_future(scored(workers, 1.0))
            await asyncio.sleep(0)
            os.kill(before, signal.SIGKILL)
            assert isinstance(await batch, WorkerLostError)
            await idle(workers, ready)
            assert workers.pids != [before]
            assert (await scored(workers, 2.0))["value"].tolist() == [2.0]

    asyncio.run(main())


def test_a_worker_that_hangs_is_killed_and_replaced() -> None:
    async def main() -> None:
        async with pool(scorers.hanging, timeout=0.3) as (workers, ready):
            error = await scored(workers, 13.0)
            assert isinstance(error, WorkerLostError)
            assert "killed" in str(error)
            await idle(workers, ready)
            assert (await scored(workers, 2.0))["value"].tolist() == [2.0]

    asyncio.run(main())


def test_through_score_a_deadly_row_fails_alone_and_the_others_are_answered() -> None:
    dead: list[Any] = []
    flow = rxml.range(20).pipe(
        ops.score(model(scorers.deadly), on=processes(2), max_batch=8),
        ops.supervise("resume", dead_letters=dead.append),
    )
    answers = asyncio.run(flow.to_list())
    assert [each.value for each in answers] == [x for x in range(20) if x != 13]
    assert [each.element for each in dead] == [13]
    assert isinstance(dead[0].error, WorkerLostError)


def test_what_has_no_recipe_or_cannot_be_made_there_is_refused_with_the_reason() -> None:
    async def opened(given: models.Model) -> None:
        await processes().open(given, lambda: None)

    with pytest.raises(ModelError, match="another process cannot find it"):
        asyncio.run(opened(model(lambda rows: rows["x"])))

    class Bare:
        signature = models.Signature(X, Schema.of(value="float64"))
        digest = ""

        def predict(self, batch: Batch) -> Batch:
            return batch

    with pytest.raises(ModelError, match="nothing is pickled"):
        asyncio.run(opened(Bare()))

    class Lost(Bare):
        def recipe(self) -> Any:
            return Recipe("no.such.module:model")

    with pytest.raises(ModelError, match="ModuleNotFoundError: No module named"):
        asyncio.run(opened(Lost()))


def test_each_has_its_limits_and_its_output_disturbs_nobody() -> None:
    async def main() -> None:
        async with pool(scorers.threads, threads=3) as (workers, _):
            assert (await scored(workers, 1.0))["value"].tolist() == [3.0]
        async with pool(scorers.writing) as (workers, _):
            assert (await scored(workers, 1.0))["value"].tolist() == [1.0]
        async with pool(scorers.pid, least=2, pin=True) as (workers, _):
            cores = [os.sched_getaffinity(pid) for pid in workers.pids]
            assert all(len(each) == 1 for each in cores)

    asyncio.run(main())


def test_there_are_more_while_rows_wait_and_fewer_afterwards() -> None:
    async def main() -> None:
        how = {"least": 1, "most": 2, "target": 1e-6, "shrink_after": 0.2}
        async with pool(scorers.slow, **how) as (workers, ready):
            flow = asyncio.ensure_future(scored(workers, 1.0))
            workers.pressure(1.0)
            await asyncio.sleep(0.001)  # the target, three times over
            workers.pressure(1.0)
            await flow
            await until(ready, lambda: workers.count == 2)
            await scored(workers, 1.0)
            await until(ready, lambda: workers.count == 1)
            assert (await scored(workers, 2.0))["value"].tolist() == [2.0]

    asyncio.run(main())


def test_nothing_is_left_when_it_is_closed() -> None:
    async def main() -> list[int]:
        async with pool(scorers.double, least=2) as (workers, _):
            return list(workers.pids)

    for pid in asyncio.run(main()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


PARENT = """
import asyncio, sys
from rxml import models
from rxml.batch import Schema
from rxml.engines import processes
from tests.engines import scorers

async def main():
    model = models.from_function(scorers.double, inputs=Schema.of(x="float64"))
    workers = await processes(2).open(model, lambda: None)
    print(*workers.pids, flush=True)
    await asyncio.sleep(1000)

asyncio.run(main())
"""


def test_workers_end_with_their_parent_however_that_ends() -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, cwd=root
    ) as parent:
        assert parent.stdout is not None
        pids = list(map(int, parent.stdout.readline().split()))
        waits = [os.pidfd_open(pid) for pid in pids]
        parent.kill()
    assert len(pids) == 2

    async def ended(descriptor: int) -> None:
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(descriptor, gone.set)
        await gone.wait()
        loop.remove_reader(descriptor)
        os.close(descriptor)

    async def main() -> None:
        async with asyncio.timeout(10):
            await asyncio.gather(*map(ended, waits))

    asyncio.run(main())


def test_a_model_that_hands_on_what_it_got_does_not_write_over_it() -> None:
    async def main() -> None:
        two = {"inputs": Schema.of(a="float64", b="float64"), "outputs": Schema.of(a="f8", b="f8")}
        async with pool(scorers.swapped, model=two) as (workers, _):
            a = np.arange(5.0)
            got = await told(workers, Batch({"a": a, "b": -a}))
            assert got == Batch({"a": -a, "b": a})

    asyncio.run(main())


def test_an_error_that_ends_loops_is_told_as_one_of_the_model() -> None:
    async def main() -> None:
        async with pool(scorers.iterating) as (workers, _):
            error = await scored(workers, 1.0)
            assert isinstance(error, ModelError)
            assert "StopIteration" in str(error)

    asyncio.run(main())


def test_a_worker_whose_own_processes_outlive_it_is_seen_to_have_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCORERS_END", str(tmp_path / "end"))

    async def main() -> None:
        async with pool(scorers.multiplying, timeout=1000) as (workers, ready):
            assert isinstance(await scored(workers, 13.0), WorkerLostError)
            await idle(workers, ready)
            assert (await scored(workers, 1.0))["value"].tolist() == [1.0]

    try:
        asyncio.run(asyncio.wait_for(main(), 20))
    finally:
        (tmp_path / "end").touch()


def test_a_worker_may_write_as_much_as_it_likes() -> None:
    async def main() -> None:
        async with pool(scorers.verbose) as (workers, _):
            for x in (1.0, 2.0, 3.0):
                assert (await scored(workers, x))["value"].tolist() == [x]

    asyncio.run(main())


def test_a_recipe_that_cannot_travel_is_refused() -> None:
    class Odd:
        signature: Any = None
        digest = ""

        def predict(self, batch: Batch) -> Batch:
            return batch

        def recipe(self) -> Recipe:
            return Recipe("tests.engines.scorers:double", (object(),))

    async def main() -> None:
        with pytest.raises(WireError, match=r"builtins\.object"):
            await processes().open(Odd(), lambda: None)

    asyncio.run(asyncio.wait_for(main(), 20))
