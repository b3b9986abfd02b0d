from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typing_extensions import override

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Field, Schema
from rxml.errors import ModelError, PipelineError, SchemaError
from rxml.flow.chunk import Chunk
from rxml.flow.context import Context, Outcome
from rxml.flow.kinds import source
from rxml.flow.stage import Stage
from rxml.models.scoring.on_loop import LoopWorkers
from rxml.testing.virtual_time import run
from tests.unit.models.scoring.places import Timed

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable

X = Schema.of(x="float64")


def doubled(rows: Batch) -> Any:
    return 2 * rows["x"]


def picky(rows: Batch) -> Any:
    """Fails for a batch with a negative number in it."""
    if (rows["x"] < 0).any():
        raise ValueError("negative")
    return np.sqrt(rows["x"])


def model(function: Callable[[Batch], Any] = doubled) -> models.Model:
    return models.from_function(function, inputs=X)


def values(elements: list[Any]) -> list[Any]:
    return [each.value for each in elements]


def test_a_lone_element_begins_at_once() -> None:
    place = Timed(base=1.0)

    async def main() -> float:
        await rxml.of(1.0).pipe(ops.score(model(), on=place)).to_list()
        return asyncio.get_running_loop().time()

    assert run(main()) == 1.5  # half a second to open, one to score
    assert place.batches == [[1.0]]


def test_elements_gather_only_while_all_workers_are_busy() -> None:
    place = Timed(base=1.0)
    flow = rxml.interval(0.3).pipe(
        ops.take(7), ops.map(float), ops.score(model(), on=place, budget=9)
    )
    assert values(run(flow.to_list())) == [0, 2, 4, 6, 8, 10, 12]
    assert place.batches[0] == [0.0]
    assert max(map(len, place.batches)) > 2
    assert sum(map(len, place.batches)) == 7


def test_several_workers_work_side_by_side_and_the_order_is_kept() -> None:
    place = Timed(workers=3, base=1.0)
    flow = rxml.range(9).pipe(ops.score(model(), on=place, max_batch=1))

    async def main() -> tuple[list[Any], float]:
        got = await flow.to_list()
        return values(got), asyncio.get_running_loop().time()

    assert run(main()) == ([2 * x for x in range(9)], 3.5)


def test_a_batch_has_no_more_rows_than_fit_into_the_budget() -> None:
    place = Timed(base=0.0, row=0.01)
    flow = rxml.range(400).pipe(ops.score(model(), on=place, budget=0.1))
    assert values(run(flow.to_list())) == [2 * x for x in range(400)]
    sizes = [len(each) for each in place.batches]
    assert max(sizes) <= 16  # the guard doubles until it is over, once
    assert max(sizes[6:]) <= 10
    assert sum(sizes[6:-1]) / len(sizes[6:-1]) > 7


def test_where_others_wait_a_batch_takes_no_longer_than_may_be_whatever_the_budget() -> None:
    place = Timed(base=0.0, row=0.01, hold=0.05)
    flow = rxml.range(200).pipe(ops.score(model(), on=place, budget=10.0))
    assert values(run(flow.to_list())) == [2 * x for x in range(200)]
    assert max(len(each) for each in place.batches[5:]) <= 5
    assert LoopWorkers(model()).hold < 0.005


def test_a_bad_row_fails_alone_and_the_others_are_answered() -> None:
    dead: list[Any] = []
    rows = [1.0, 4.0, -1.0, 9.0, 16.0, -2.0, 25.0]
    flow = rxml.from_iterable(rows).pipe(
        ops.score(model(picky), on=models.on_loop()),
        ops.supervise("resume", dead_letters=dead.append),
    )
    assert values(run(flow.to_list())) == [1, 2, 3, 4, 5]
    assert [(each.element, str(each.error)) for each in dead] == [
        (-1.0, "negative"),
        (-2.0, "negative"),
    ]


def test_without_a_supervisor_the_error_comes_after_exactly_the_results_before_it() -> None:
    got: list[Any] = []
    flow = rxml.of(1.0, 4.0, -1.0, 9.0).pipe(
        ops.score(model(picky), on=models.threads()), ops.do_action(got.append)
    )
    with pytest.raises(ValueError, match="negative"):
        run(flow.to_list())
    assert values(got) == [1, 2]


def test_a_model_that_is_broken_costs_few_calls() -> None:
    calls: list[int] = []

    def broken(rows: Batch) -> Any:
        calls.append(len(rows))
        raise RuntimeError("no such file")

    dead: list[Any] = []
    place = Timed(base=1.0)
    flow = rxml.range(64).pipe(
        ops.score(model(broken), on=place, budget=1e3),
        ops.supervise("resume", dead_letters=dead.append),
    )
    assert run(flow.to_list()) == []
    assert len(dead) == 64
    assert len(calls) <= 7 * 64 / 8  # a single bad row would be alone at the fourth


def test_rows_of_batches_come_out_as_batches() -> None:
    batch = Batch({"x": np.arange(10.0)})
    flow = rxml.from_batches([batch[:6], batch[6:]]).pipe(ops.score(model(), name="m", version="2"))

    async def main() -> list[Any]:
        async with flow.chunks(4) as chunks:
            return [chunk.elements async for chunk in chunks]

    chunks = run(main())
    assert all(isinstance(each, Batch) for each in chunks)
    joined = Batch.concat(chunks)
    assert joined["value"].tolist() == [2.0 * x for x in range(10)]
    assert set(joined["version"]) == {"2"}


def test_a_row_and_a_row_of_a_batch_are_answered_alike() -> None:
    rows = [{"x": float(x)} for x in range(5)]
    operator = ops.score(model(), name="m", version="2")
    by_row = run(rxml.from_iterable(rows).pipe(operator).to_list())
    by_batch = run(rxml.from_batches([Batch.from_rows(rows)]).pipe(operator).to_list())
    assert by_row == by_batch
    assert [dict(each) for each in by_row] == [dict(each) for each in by_batch]


def test_a_bad_row_of_a_batch_fails_alone() -> None:
    dead: list[Any] = []
    batch = Batch({"x": np.array([1.0, 4.0, -1.0, 9.0])})
    flow = rxml.from_batches([batch]).pipe(
        ops.score(model(picky)), ops.supervise("resume", dead_letters=dead.append)
    )
    assert [each["value"] for each in run(flow.to_list())] == [1, 2, 3]
    assert [each.element for each in dead] == [{"x": -1.0}]


def test_an_element_may_be_a_batch_of_its_own() -> None:
    parts = [Batch({"x": np.arange(float(n))}) for n in (3, 1, 4)]
    flow = rxml.from_iterable(parts).pipe(ops.score(model(), name="m"))
    answers = run(flow.to_list())
    assert [each["value"].tolist() for each in answers] == [[0, 2, 4], [0], [0, 2, 4, 6]]


@pytest.mark.parametrize(
    "row", [{"y": 1.0}, {"x": "1.0"}, {"x": None}, {"x": [1.0]}, "1.0", object(), {"x": 1 + 1j}]
)
def test_what_is_not_what_the_model_wants_is_refused_alone(row: Any) -> None:
    dead: list[Any] = []
    flow = rxml.from_iterable([{"x": 1.0}, row, {"x": 2}]).pipe(
        ops.score(model()), ops.supervise("resume", dead_letters=dead.append)
    )
    assert values(run(flow.to_list())) == [2, 4]
    assert [type(each.error) for each in dead] == [SchemaError]


def test_nan_is_no_answer_unless_the_signature_says_so() -> None:
    dead: list[Any] = []
    holed = models.from_function(lambda rows: np.where(rows["x"] > 1, np.nan, 1.0), inputs=X)
    flow = rxml.of(1.0, 2.0, 0.5).pipe(
        ops.score(holed), ops.supervise("resume", dead_letters=dead.append)
    )
    assert values(run(flow.to_list())) == [1, 1]
    assert [each.element for each in dead] == [2.0]
    assert isinstance(dead[0].error, ModelError)
    outputs = Schema([Field("value", "float64", nullable=True)])
    open_ = models.from_function(lambda rows: rows["x"] * np.nan, inputs=X, outputs=outputs)
    (answer,) = run(rxml.of(1.0).pipe(ops.score(open_)).to_list())
    assert math.isnan(answer.value)


def too_few(rows: Batch) -> Any:
    return rows.array("x")[:-1]


def another_name(rows: Batch) -> Any:
    return Batch({"other": rows["x"]})


def too_many(rows: Batch) -> Any:
    return rows["x"], rows["x"]


def another_kind(rows: Batch) -> Any:
    return Batch({"value": rows.array("x").astype("float32")})


@pytest.mark.parametrize("broken", [too_few, another_name, too_many, another_kind])
def test_a_model_that_breaks_its_promise_is_told_so(broken: Callable[[Batch], Any]) -> None:
    with pytest.raises(ModelError):
        run(rxml.of(1.0, 2.0).pipe(ops.score(model(broken))).to_list())


def test_a_worker_that_dies_costs_no_row() -> None:
    place = Timed(base=1.0, deadly=3.0)
    dead: list[Any] = []
    flow = rxml.range(8).pipe(
        ops.score(model(), on=place, budget=1e3),
        ops.supervise("resume", dead_letters=dead.append),
    )
    assert values(run(flow.to_list())) == [0, 2, 4, 8, 10, 12, 14]
    assert [each.element for each in dead] == [3]


class Dated(Stage[Any]):
    """Elements with contexts, all at once."""

    dated: list[tuple[Any, Context]]

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        part, self.dated = self.dated[:n], self.dated[n:]
        if not part:
            return rxml.END
        return Chunk([each for each, _ in part], [context for _, context in part])


def dated(elements: list[tuple[Any, Context]]) -> Flowable[Any]:
    def open_(env: Any, node: Any) -> Stage[Any]:
        stage = Dated(env, node)
        stage.dated = list(elements)
        return stage

    return source("dated", open_)


class Asker:
    """One who asks: `gone` when nobody waits any more."""

    def __init__(self, *, gone: bool = False) -> None:
        self.gone = gone
        self.outcomes: list[Outcome] = []

    def __call__(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


def test_what_cannot_meet_its_deadline_or_has_no_asker_costs_nothing() -> None:
    place = Timed(base=1.0)
    late, gone, good = Asker(), Asker(gone=True), Asker()
    elements = [
        (1.0, Context(priority=1, settle=good)),
        (
            2.0,
            Context(deadline=2.2, settle=late),
        ),  # the first is done at 1.5: then a batch takes 1 s
        (3.0, Context(settle=gone)),
        (4.0, Context(deadline=100.0, settle=good)),
    ]
    flow = dated(elements).pipe(ops.score(model(), on=place, max_batch=1))
    assert values(run(flow.to_list())) == [2, 8]
    assert (late.outcomes, gone.outcomes, good.outcomes) == (
        [Outcome.DROPPED],
        [Outcome.DROPPED],
        [],
    )
    assert place.batches == [[1.0], [4.0]]


def test_the_most_urgent_goes_first_then_the_earliest_deadline() -> None:
    place = Timed(base=1.0)
    elements = [
        (0.0, Context()),
        (1.0, Context(deadline=50.0)),
        (2.0, Context(deadline=40.0)),
        (3.0, Context(priority=5)),
    ]
    flow = dated(elements).pipe(ops.score(model(), on=place, max_batch=1))
    assert values(run(flow.to_list())) == [0, 2, 4, 6]  # as they came in
    assert place.batches == [[3.0], [2.0], [1.0], [0.0]]


def test_bounds_in_rows_and_in_bytes_hold() -> None:
    place = Timed(base=1.0)
    pulled: list[int] = []
    flow = rxml.range(1000).pipe(
        ops.do_action(pulled.append), ops.score(model(), on=place, capacity=10, max_batch=2)
    )

    async def main() -> None:
        async with flow.open() as subscription:
            await subscription.request(1)
            await asyncio.sleep(100)
            assert len(pulled) <= 11

    run(main())
    texts = models.from_function(
        lambda rows: np.zeros(len(rows)), inputs=Schema([Field("x", "str")])
    )
    pulled.clear()
    long = rxml.range(1000).pipe(
        ops.do_action(pulled.append),
        ops.map(lambda i: {"x": "a" * 1000 + str(i)}),
        ops.score(texts, on=models.on_loop(), max_bytes=5000),
    )

    async def by_bytes() -> int:
        async with long.open() as subscription:
            await subscription.request(1)
            return len(pulled)

    assert run(by_bytes()) < 1000


def test_a_mismatch_is_refused_when_the_pipeline_is_built() -> None:
    rows = rxml.of({"y": 1.0}).pipe(ops.to_batch(Schema.of(y="float64")))
    with pytest.raises(PipelineError, match="'x'"):
        _ = rows.pipe(ops.score(model()))
    texts = rxml.of({"x": "a"}).pipe(ops.to_batch(Schema.of(x=str)))
    with pytest.raises(PipelineError, match="wants float64"):
        _ = texts.pipe(ops.score(model()))
    chained = models.from_function(doubled, inputs=Schema.of(other="float64"))
    with pytest.raises(PipelineError, match="other"):
        _ = rxml.of(1.0).pipe(ops.score(model()), ops.score(chained))


@pytest.mark.parametrize("wrong", [doubled, 3, object()])
def test_what_is_no_model_is_refused(wrong: Any) -> None:
    with pytest.raises(PipelineError, match="wants a Model"):
        ops.score(wrong)


@pytest.mark.parametrize(
    "how",
    [{"budget": 0}, {"budget": math.inf}, {"max_batch": 0}, {"capacity": 0}, {"max_bytes": 0}],
)
def test_numbers_out_of_their_range_are_refused(how: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="score"):
        ops.score(model(), **how)


def test_leaving_early_waits_for_what_is_under_way_and_leaves_nothing() -> None:
    place = Timed(base=5.0)

    async def main() -> float:
        async with rxml.range(10).pipe(ops.score(model(), on=place)).open() as subscription:
            waiting = asyncio.create_task(subscription.request(1))
            await asyncio.sleep(1)
            waiting.cancel()
        return asyncio.get_running_loop().time()

    assert run(main()) == 5.5
    assert len(place.closed) == 1
