"""Models that hang, exit, or cannot be loaded: what is given up, what is told, and what comes back."""

from __future__ import annotations

import asyncio
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.errors import ModelError, WorkerLostError
from rxml.flow.scope import finished
from rxml.models.model import Release
from rxml.models.scoring.off_loop import off_loop
from rxml.models.scoring.threads import ThreadLimits, ThreadWorkers
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import Callable

X = Schema.of(x="float64")
ROW = Batch({"x": [1.0]})


def model(function: Callable[[Any], Any]) -> models.Model:
    return models.from_function(function, inputs=X)


async def told(workers: ThreadWorkers) -> Any:
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    workers.start(ROW, lambda result, seconds: future.set_result(result))
    return await future


def test_threads_that_hang_are_replaced_until_they_are_too_many_and_count_again_when_they_come_back() -> (
    None
):
    gate = threading.Event()

    def stuck(rows: Batch) -> Any:
        gate.wait(10)
        return rows["x"]

    async def main() -> None:
        ready = asyncio.Event()
        limits = ThreadLimits(1, 1, 0.01, 0.02, lost=1)
        workers = ThreadWorkers(model(stuck), limits, ready.set)
        for _ in range(2):
            assert workers.count == 1
            assert isinstance(await told(workers), WorkerLostError)
        assert (workers.count, workers.idle) == (0, 1)
        refused = await told(workers)  # at once: nobody waits for threads that there are not
        assert type(refused) is ModelError
        assert "hangs in 2 threads" in str(refused)
        gate.set()
        while workers.count == 0:
            await ready.wait()
            ready.clear()
        assert (await told(workers))["value"].tolist() == [1.0]
        await workers.close()

    asyncio.run(main())


@pytest.mark.parametrize("place", [models.on_loop(), models.threads()])
def test_a_model_that_exits_ends_nothing_but_its_batch(place: Any) -> None:
    calls = [0]

    def exits(rows: Batch) -> Any:
        calls[0] += 1
        if rows["x"][0] == 13:
            sys.exit("bye")
        return rows["x"]

    letters: list[Any] = []
    flow = rxml.of(1.0, 13.0, 2.0).pipe(
        ops.score(model(exits), on=place, max_batch=1),
        ops.supervise("resume", dead_letters=letters.append),
    )
    assert [each.value for each in asyncio.run(flow.to_list())] == [1.0, 2.0]
    (letter,) = letters
    assert letter.element == 13.0
    assert isinstance(letter.error, ModelError)
    assert "SystemExit" in str(letter.error)


def test_what_takes_too_long_is_given_up_and_what_is_cancelled_is_waited_for() -> None:
    gate = threading.Event()
    ends: list[str] = []

    def long() -> None:
        gate.wait(10)
        ends.append("ended")

    async def main() -> None:
        with pytest.raises(
            ModelError, match=r"loading x has not ended within 0.01 s: it is given up"
        ):
            await off_loop(long, "loading x", patience=0.01)
        waiting = asyncio.create_task(off_loop(long, "loading y"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        assert not ends
        gate.set()
        await finished(waiting)
        assert waiting.cancelled()
        assert ends == ["ended"] * len(ends)
        assert ends

    asyncio.run(main())


def test_what_is_raised_in_the_thread_comes_out() -> None:
    def fails(error: BaseException) -> None:
        raise error

    async def main(error: BaseException) -> Any:
        return await off_loop(partial(fails, error), "x")

    with pytest.raises(KeyError):
        asyncio.run(main(KeyError("x")))
    for stranger in (SystemExit(3), StopIteration()):
        with pytest.raises(ModelError, match=type(stranger).__name__):
            asyncio.run(main(stranger))


class Version:
    def __init__(self, number: int) -> None:
        self.release = Release("price", str(number), f"sha256:{number}")
        self._factor = float(number)
        self.loads = 0

    def load(self) -> models.Model:
        self.loads += 1
        return model(lambda rows: self._factor * rows["x"])


def test_a_registry_that_fails_is_asked_again_and_the_model_at_work_goes_on() -> None:
    first, second = Version(1), Version(2)
    looks = [0]

    def look() -> Any:
        looks[0] += 1
        if looks[0] == 1:
            return rxml.concat(rxml.of(first), rxml.throw(OSError("the disk is gone")))
        return rxml.of(first) if looks[0] == 2 else rxml.of(second)

    flow = rxml.interval(1).pipe(
        ops.take(5), ops.map(float), ops.score(rxml.defer(look), on=models.on_loop())
    )
    answers = run(flow.to_list())
    assert [each.value for each in answers] == [0, 1, 2, 3, 4]
    assert (looks[0], first.loads) == (2, 1)
