"""Labels that are of no use are refused alone, and told of: those beside them in a mini-batch or a flow are learned."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.errors import ModelError, PipelineError, SchemaError
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.flow.service import Service
from rxml.learning import Label, LastValue, RiverOnline, RunningMean
from rxml.testing.virtual_time import run
from tests.unit.checkpointing.memory_store import Died, MemoryStore
from tests.unit.learning.labelled import results
from tests.unit.learning.test_calibrate_beside import at_times
from tests.unit.learning.test_learn_operator import Recorder, values, x

if TYPE_CHECKING:
    from rxml.flow.supervision import DeadLetter

PAIRS = [each for at in range(9) for each in (x(at, float(at)), Label(at, at))]
GOOD = [0, 1, 3, 4, 5, 6, 7]


def learned(calls: list[Any]) -> list[Any]:
    return [label for _, labels in calls for label in labels]


def resumed(letters: list[DeadLetter]) -> Any:
    return ops.supervise("resume", dead_letters=letters.append)


def test_one_label_of_a_mini_batch_is_refused_alone_and_is_the_one_that_is_told_of() -> None:
    calls: list[Any] = []
    letters: list[DeadLetter] = []
    learning = ops.learn(Recorder(calls, fails_at=2), mini_batch=4)
    assert values(results(PAIRS, learning, resumed(letters))) == [0] * 4 + [3] * 4 + [7]
    assert learned(calls) == GOOD
    assert [(each.element, str(each.error)) for each in letters] == [
        (Label(2, 2), "cannot learn 2")
    ]
    calls.clear()
    with pytest.raises(ModelError, match="cannot learn 2"):
        results(PAIRS, learning)
    assert learned(calls) == [0, 1, 3]


def test_the_label_that_makes_a_mini_batch_whole_goes_on_though_another_is_refused() -> None:
    learning = ops.learn(Recorder([], fails_at=2), mini_batch=4, pass_labels=True)
    last: Any = ops.learn(LastValue(-1), into="last")
    rows = results(PAIRS, learning, last, ops.supervise("resume"))
    assert values(rows, "last") == [-1, *range(8)]


def test_a_mini_batch_that_was_saved_half_full_is_judged_as_if_nothing_had_happened() -> None:
    async def letters_of(store: MemoryStore) -> tuple[list[Any], list[Any]]:
        calls: list[Any] = []
        letters: list[DeadLetter] = []
        model = Recorder(calls, fails_at=2)
        flow = rxml.from_iterable(PAIRS).pipe(
            ops.learn(model, mini_batch=4), ops.do_action(lambda _: None), resumed(letters)
        )
        while True:
            try:
                await flow.run(checkpoint=Checkpoint(store, every=None, elements=1))
            except Died:
                continue
            return learned(calls), [each.element for each in letters]

    assert run(letters_of(MemoryStore())) == (GOOD, [Label(2, 2)])
    assert run(letters_of(MemoryStore(2, 4, 5))) == (GOOD, [Label(2, 2)])


@pytest.mark.parametrize("many", [False, True])
def test_a_model_of_river_learns_each_row_once_though_it_fails_for_one(*, many: bool) -> None:
    pandas: Any = pytest.importorskip("pandas")
    linear: Any = pytest.importorskip("river.linear_model")
    bad = [*PAIRS[:4], x("bad", 3.0), Label("bad", "no number"), *PAIRS[4:]]
    model = RiverOnline(linear.LinearRegression(), ["x"], many=many)
    rows = results(bad, ops.learn(model, mini_batch=4), ops.supervise("resume"))
    theirs = linear.LinearRegression()
    for start, stop in ((0, 2), (2, 3), (3, 7)):
        part = range(start, stop)
        if many:
            frame = pandas.DataFrame({"x": [float(at) for at in part]})
            theirs.learn_many(frame, pandas.Series([*part]))
        for at in () if many else part:
            theirs.learn_one({"x": float(at)}, at)
    assert rows[-1]["value"] == theirs.predict_one({"x": 8.0}) != 0.0


MALFORMED: list[Any] = [42, {"id": 1}, (1, 2, 3), None, {"value": 2.0}, "text"]


@pytest.mark.parametrize("resume", [False, True])
def test_what_is_no_label_does_not_end_a_flow_of_labels(
    caplog: pytest.LogCaptureFixture, *, resume: bool
) -> None:
    letters: list[DeadLetter] = []
    labels = at_times(*((1, each) for each in [(1, 4.0), *MALFORMED, (2, 8.0)]))
    flow = at_times((0, x(1)), (0.5, x(2)), (3, x(3))).pipe(ops.learn(RunningMean(), labels=labels))
    flow = flow.pipe(resumed(letters)) if resume else flow

    async def main() -> tuple[list[Any], int]:
        async with rxml.Run[Any](flow) as running:
            rows: list[Any] = []
            while not (chunk := await running.subscription.request(9)).end:
                rows += chunk.elements
            return rows, sum(each.dropped for each in running.statistics().stages)

    with caplog.at_level(logging.WARNING):
        rows, dropped = run(main())
    assert rows[-1]["value"] == 6.0
    logged = [each for each in caplog.records if "is of no use" in each.message]
    assert (len(logged), dropped) == ((0, 0) if resume else (len(MALFORMED),) * 2)
    assert [each.element for each in letters] == (MALFORMED if resume else [])
    assert all(
        "a label is a Label" in str(each.error) or "row" in str(each.error) for each in letters
    )


def test_labels_beside_that_are_of_no_use_come_to_the_dead_letters_if_there_are_any() -> None:
    letters: list[DeadLetter] = []
    bad = [Label(1, "four"), Label([1], 4.0), Label(1, 4.0, 10**400)]
    labels = at_times(*((1, each) for each in [*bad, (1, 4.0)]))
    learning: Any = ops.learn(RunningMean(), labels=labels)
    rows = run(at_times((0, x(1)), (3, x(2))).pipe(learning, resumed(letters)).to_list())
    assert np.isnan(rows[-1]["value"])  # what a label was taken for is not learned from again
    assert [each.element for each in letters] == bad


def test_who_breaks_where_dead_letters_go_fails_the_stream() -> None:
    def broken(_: DeadLetter) -> None:
        raise SchemaError("no room for dead letters")

    flow = at_times((0, x(1)), (3, x(2))).pipe(
        ops.learn(RunningMean(), labels=at_times((1, (1, "four")))),
        ops.supervise("resume", dead_letters=broken),
    )
    with pytest.raises(SchemaError, match="no room"):
        run(flow.to_list())


def test_a_service_learns_from_labels_that_are_sifted_and_tells_of_those_of_no_use(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> list[Any]:
        labels: Any = at_times((1, [Label(1, 4.0), 42]), (1, [Label(2, "four"), None]))
        sifted = labels.pipe(ops.flat_map(rxml.from_iterable), ops.filter(lambda x: x is not None))
        async with Service(ops.learn(RunningMean(0.0), labels=sifted)) as service:
            first = [await service.ask(x(1)), await service.ask(x(2))]
            await asyncio.sleep(2)
            return values([*first, await service.ask(x(3))])

    assert run(main()) == [0.0, 0.0, 4.0]
    assert sum("is of no use" in each.message for each in caplog.records) == 2
    with pytest.raises(PipelineError, match="filter"):
        Service(
            lambda flow: flow.pipe(ops.learn(RunningMean(), labels=rxml.of(1)), ops.filter(bool))
        )
