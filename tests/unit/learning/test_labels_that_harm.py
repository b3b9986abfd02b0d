"""Labels that are wrong, mixed or untimely: what they may not do to what is beside them."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.errors import SchemaError
from rxml.evaluation.metrics import Metrics
from rxml.learning import Coverage, Evaluation, Label, Questions
from rxml.testing.virtual_time import run
from rxml.uncertain import Normal
from tests.unit.learning.labelled import ends, results, row, split, taught, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from rxml.flow.operator import Operator

RESUME: Any = ops.supervise("resume")
HUGE = 10**400
ARRAY = np.array([1.0, 2.0])


async def singly(elements: Sequence[Any], every: float = 1) -> AsyncIterator[Any]:
    for element in elements:
        await asyncio.sleep(every)
        yield element


def radii(rows: Sequence[Any]) -> list[float]:
    return [ends(each["interval"])[1] for each in rows]


@pytest.mark.parametrize("value", [HUGE, ARRAY, Normal(0.0, 1.0)])
@pytest.mark.parametrize("time", [None, HUGE, "noon", 1.5, True])
def test_a_label_of_any_sort_harms_nobody(value: Any, time: Any) -> None:
    bad = Label(1, value if time is None else 3.0, time)
    elements = [row(1), row(2), told(2, 2.0), bad, told(1, 4.0), row(3)]
    with pytest.raises(SchemaError, match="label"):
        results(elements, split())
    coverage = Coverage(0.5)
    assert len(results(elements, split(coverage=coverage), RESUME)) == 3
    assert coverage.now.counts.labelled == 2
    rows = rxml.from_async_iterable(lambda: singly([row(1), row(2)]))
    assert len(run(rows.pipe(split(labels=rxml.of(bad))).to_list())) == 2


@pytest.mark.parametrize(
    "bad", [told(2, ARRAY), told(2, Normal(0.0, 1.0)), told(2, 1.0, HUGE), told(2, HUGE)]
)
def test_a_label_that_cannot_be_judged_is_left_out_alone(bad: Any) -> None:
    evaluation = Evaluation(Metrics("mae"), every=1)
    elements = [row(1), row(2), told(1, 3.0), bad, row(3), told(3, 1.0)]
    assert len(results(elements, ops.evaluate(evaluation), RESUME)) == 3
    assert evaluation.now is not None
    assert evaluation.now.counts.labelled == 2


def test_labels_with_and_without_a_time_are_judged_each_by_its_own() -> None:
    labels = [told(1, 1.0, 20_000), told(2, 1.0)]
    rows = [row(1, time=0), row(2, time=0), row(3, time=1)]

    def counted(beside: rxml.Flowable[Any]) -> Any:
        coverage = Coverage(0.5)
        calibrated = split(expire=10e-6, coverage=coverage, labels=beside)
        clock: Operator[Any, Any] = ops.with_event_time("time")
        flow = rxml.from_async_iterable(lambda: singly(rows, 10))
        run(flow.pipe(clock, calibrated).to_list())
        return coverage.now.counts

    later = rxml.timer(25).pipe(ops.flat_map(lambda _: rxml.from_iterable(labels)))
    apart = rxml.timer(21).pipe(
        ops.flat_map(lambda _: rxml.from_async_iterable(lambda: singly(labels)))
    )
    together = counted(later)
    assert together == counted(apart)
    assert (together.labelled, together.late) == (1, 1)


def test_what_stands_behind_a_failure_goes_to_the_kernel_that_began_anew() -> None:
    elements = [row(1), told(1, 5.0), told(1, "bad"), row(3), *taught([2.0]), row("end")]

    def after(flow: rxml.Flowable[Any]) -> list[float]:
        restart: Any = ops.supervise("restart")
        return radii(run(flow.pipe(split(), restart).to_list()))

    assert after(rxml.from_async_iterable(lambda: singly(elements))) == [inf, inf, inf, 2.0]
    assert after(rxml.from_iterable(elements)) == [inf, inf, inf, 2.0]


def test_a_loss_that_fails_for_one_label_takes_no_other_with_it() -> None:
    def picky(truths: Any, said: Any) -> Any:
        if (truths > 8).any():
            raise RuntimeError("too much")
        return np.abs(truths - said.mean() if hasattr(said, "mean") else truths - said)

    first, second, third = ({"id": at, "a": 0.0, "b": 9.0} for at in (1, 2, 3))
    both: Any = ops.combine(["a", "b"], weights_into="w", loss=picky)
    rows = results([first, second, told(1, 0.0), told(2, 9.0), third], both, RESUME)
    assert rows[-1]["w"][0] > 0.9
    beside: Any = ops.combine(["a", "b"], loss=picky, labels=rxml.of(told(1, 9.0)))
    waited = rxml.from_async_iterable(lambda: singly([first, second]))
    assert len(run(waited.pipe(beside).to_list())) == 2


def test_who_answers_twice_at_once_is_heard_once() -> None:
    questions = Questions()
    asked: Any = ops.ask(questions, when="unsure", within=10, budget=1.0)

    async def main() -> Any:
        async def twice() -> list[bool]:
            await asyncio.sleep(1)
            return [questions.answer(1, "one"), questions.answer(1, "other")]

        flow = rxml.of({"id": 1, "value": 0, "unsure": True}).pipe(asked)
        rows, answered = await asyncio.gather(flow.to_list(), twice())
        return rows[0]["value"], answered

    value, answered = run(main())
    assert (value, answered) == ("one", [True, False])


def test_times_of_labels_may_be_numbers_of_numpy() -> None:
    coverage, stamp = Coverage(0.5), np.array([5], np.int64)[0]
    results([row(1), Label(1, 4.0, stamp)], split(coverage=coverage))
    assert coverage.now.counts.labelled == 1


@pytest.mark.parametrize("never", [None, float("nan"), np.float32("nan")])
def test_it_is_told_at_once_that_a_label_will_never_come(never: Any) -> None:
    coverage = Coverage(0.5)
    results([row(1), told(1, never)], split(coverage=coverage))
    assert (coverage.now.counts.predicted, coverage.now.counts.abstained) == (1, 1)


@pytest.mark.parametrize("name", [np.int64(1), np.uint8(1), np.str_("a"), np.bytes_(b"b")])
def test_ids_of_labels_may_be_scalars_of_numpy(name: Any) -> None:
    coverage = Coverage(0.5)
    results([row(name.item()), told(name, 4.0)], split(coverage=coverage))
    assert coverage.now.counts.labelled == 1
