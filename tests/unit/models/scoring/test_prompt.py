"""A batch that overtakes nothing is answered where it is asked, and is told no other thing than it would be later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.errors import DeadlineError, ModelError, SchemaError
from rxml.flow.compose import compose
from rxml.flow.prompt import Prompts
from rxml.flow.service import Service
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from rxml.flow.node import Node

X = Schema.of(x="float64")
ROWS = 100

SOURCE = rxml.of(1)


def same(each: Any) -> Any:
    return each


class Saying:
    """A stage that says the same to all."""

    def __init__(self) -> None:
        self.node: Node = SOURCE.pipe(ops.map(same))

    def prompt(self, element: Any) -> Any:
        del element
        return "said"


class Doubling:
    """Doubles `x`, and keeps how many rows it was asked for at a time."""

    def __init__(self) -> None:
        self.model: models.Model = models.from_function(self.work, inputs=X)
        self.sizes: list[int] = []

    def work(self, rows: Batch) -> Any:
        if (rows["x"] < 0).any():
            raise ValueError("negative")
        self.sizes.append(len(rows))
        return np.where(rows["x"] > 1e6, np.nan, 2 * rows["x"])


def batch(first: float = 0.0, rows: int = ROWS) -> Batch:
    return Batch({"x": np.arange(first, first + rows)})


async def begun(doubling: Doubling, **options: Any) -> Service[Any, Any]:
    """A service whose model is warm, and which has nothing to do."""
    service: Service[Any, Any] = Service(
        ops.score(doubling.model, name="double", on=models.on_loop(), **options)
    )
    service.start()
    await service.ask({"x": 1.0})
    await asyncio.sleep(1)
    doubling.sizes.clear()
    return service


def test_it_is_answered_at_once_and_as_ever() -> None:
    async def main() -> None:
        doubling = Doubling()
        service = await begun(doubling)
        answer = service.ask(batch())
        assert answer.done()
        waiting = service.ask({"x": 1.0})
        later = service.ask(batch())
        assert not waiting.done()
        assert not later.done()
        assert await later == await answer
        assert (await answer)["value"].tolist() == (2 * batch()["x"]).tolist()
        assert set((await answer)["model"]) == {"double"}
        assert (await waiting).value == 2.0
        assert service.waiting == 0
        await service.aclose()

    run(main())


def test_it_is_counted() -> None:
    async def main() -> None:
        service = await begun(Doubling())
        statistics = service.statistics()
        before = 0 if statistics is None else statistics.stages[-1].emitted
        for _ in range(3):
            await service.ask(batch())
        statistics = service.statistics()
        assert statistics is not None
        assert statistics.stages[-1].emitted == before + 3
        await service.aclose()

    run(main())


def test_few_rows_wait_for_others() -> None:
    async def main() -> None:
        doubling = Doubling()
        service = await begun(doubling)
        answers = [service.ask(batch(rows=3)) for _ in range(4)]
        assert not any(answer.done() for answer in answers)
        assert [len(each) for each in await asyncio.gather(*answers)] == [3, 3, 3, 3]
        assert sum(doubling.sizes) == 12
        assert len(doubling.sizes) < 4
        await service.aclose()

    run(main())


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (batch(-5.0), ValueError),
        (batch(1e6), ModelError),
        (Batch({"y": np.ones(ROWS)}), SchemaError),
    ],
    ids=["raises", "not finite", "does not fit"],
)
def test_what_fails_is_told_so_and_hurts_nobody(asked: Batch, error: type[Exception]) -> None:
    async def main() -> None:
        service = await begun(Doubling())
        with pytest.raises(error):
            await service.ask(asked)
        assert len(await service.ask(batch())) == ROWS
        await service.aclose()

    run(main())


def test_an_answer_that_comes_too_late_is_none() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        prompts = Prompts(SOURCE)
        prompts.begin(Saying())
        assert prompts.answer(1, None, loop.time() - 1e9) == "said"
        assert prompts.answer(1, 1.0, loop.time() - 0.5) == "said"
        assert isinstance(prompts.answer(1, 1.0, loop.time() - 1.5), DeadlineError)
        prompts.end()
        assert prompts.answer(1, 1.0, loop.time()) is None

    run(main())


def test_who_asks_is_told_that_it_came_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        service = await begun(Doubling())
        late = DeadlineError("late")

        def say_late(*_: object) -> DeadlineError:
            return late

        monkeypatch.setattr(Prompts, "answer", say_late)
        answer = service.ask(batch(), within=1.0)
        assert answer.exception() is late
        assert service.prompt(batch(), 1.0) is late
        assert service.waiting == 0
        await service.aclose()

    run(main())


def test_what_overtakes_nothing_is_answered_without_being_on_its_way() -> None:
    async def main() -> None:
        doubling = Doubling()
        service = await begun(doubling)
        assert service.prompt(batch(), 1.0) == await service.ask(batch())
        for wrong in (batch(rows=3), batch(-5.0), {"x": 1.0}):
            assert service.prompt(wrong, 1.0) is None
        waiting = service.ask({"x": 1.0})
        doubling.sizes.clear()
        assert service.prompt(batch(), 1.0) is None
        assert not doubling.sizes
        await waiting
        await service.aclose()
        assert service.prompt(batch(), 1.0) is None
        assert not doubling.sizes[1:]

    run(main())


def test_behind_another_stage_it_comes_in_like_any_other() -> None:
    async def main() -> None:
        doubling = Doubling()
        score = ops.score(doubling.model, on=models.on_loop())
        service: Service[Any, Any] = Service(compose(ops.map(same), score))
        async with service:
            await service.ask({"x": 1.0})
            await asyncio.sleep(1)
            answer = service.ask(batch())
            assert not answer.done()
            assert len(await answer) == ROWS

    run(main())
