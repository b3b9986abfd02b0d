"""hedge: of several models that are asked the first sure answer counts; in time there is the surest, and it says why."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typing_extensions import override

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Schema
from rxml.errors import DeadlineError, PipelineError, RefusedError, SchemaError
from rxml.flow.service import Service
from rxml.testing.virtual_time import run
from rxml.uncertain import Categorical, Interval, Normal
from tests.unit.learning.labelled import results
from tests.unit.models.scoring.places import Timed

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.operator import Operator


def now() -> float:
    return asyncio.get_running_loop().time()


class Says:
    """Takes so many seconds, then gives this, or raises it. Keeps when it was asked, and who was cancelled when."""

    def __init__(self, answer: Any, seconds: float = 0.0, leaving: float = 0.0) -> None:
        self.answer = answer
        self.seconds = seconds
        self.leaving = leaving
        self.asked: list[float] = []
        self.cancelled: list[float] = []

    async def __call__(self, row: Any) -> Any:
        self.asked.append(now())
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled.append(now())
            await asyncio.sleep(self.leaving)
            raise
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Gone(Says):
    """Has been cancelled by somebody else."""

    def __init__(self) -> None:
        super().__init__(None)

    @override
    async def __call__(self, row: Any) -> Any:
        raise asyncio.CancelledError


def sure(value: Any, sd: float = 0.5) -> dict[str, Any]:
    return {"value": value, "sd": sd}


def hedged(*said: Any, **how: Any) -> Operator[Any, Any]:
    settings: dict[str, Any] = {"when": "sd", "above": 1, "within": 10, **how}
    return ops.hedge(dict(zip("abcd", said, strict=False)), **settings)


def raced(*said: Any, **how: Any) -> tuple[Any, str, str, float]:
    """The value, the rung and the reason for one element, and when they were there."""

    async def main() -> tuple[Any, str, str, float]:
        async with rxml.of({"x": 1}).pipe(hedged(*said, **how)).open() as subscription:
            (row,) = (await subscription.request(1)).elements
            return row["value"], row["rung"], row["reason"], now()

    return run(main())


def test_the_first_answer_that_is_sure_enough_wins_and_the_rest_is_cancelled() -> None:
    a, b, c = Says(sure(1, 9), 1), Says(sure(2), 2), Says(sure(3), 3)
    assert raced(a, b, c) == (2, "b", "", 2)
    assert (a.cancelled, b.cancelled, c.cancelled) == ([], [], [2])


def test_at_the_deadline_the_surest_so_far_answers_and_says_so() -> None:
    a, b, c = Says(sure(1, 3), 1), Says(sure(2, 2), 2), Says(sure(3), 60)
    assert raced(a, b, c, within=timedelta(seconds=5)) == (2, "b", "late", 5)
    assert c.cancelled == [5]


def test_if_nobody_is_sure_enough_nothing_is_waited_for() -> None:
    assert raced(Says(sure(1, 2), 2), Says(sure(2, 3), 1)) == (1, "a", "unsure", 2)
    assert raced(Says(sure(1, 2), 2), Says(KeyError(), 1)) == (1, "a", "error: KeyError", 2)
    assert raced(Says(sure(1, 2)), Says(RefusedError("breaker", ""))) == (1, "a", "breaker", 0)


def test_of_answers_that_are_there_at_once_the_model_that_is_named_first_counts() -> None:
    assert raced(Says(sure(1)), Says(sure(2, 0.1))) == (1, "a", "", 0)
    assert raced(Says(sure(1, 2)), Says(sure(2, 2))) == (1, "a", "unsure", 0)


def test_a_model_that_fails_is_asleep() -> None:
    assert raced(Says(KeyError()), Says(sure(2), 1)) == (2, "b", "", 1)
    without = Says({"value": 1})
    assert raced(without, Says(sure(2), 1)) == (2, "b", "", 1)
    assert raced(Gone(), Says(sure(2, 2), 1))[:3] == (2, "b", "error: RuntimeError")


def test_the_next_is_asked_after_a_while_or_when_those_before_will_not_do() -> None:
    a, b, c = Says(sure(1), 5), Says(sure(2, 9), 4), Says(sure(3), 5)
    assert raced(a, b, c, stagger=2) == (1, "a", "", 5)
    assert [*a.asked, *b.asked, *c.asked] == [0, 2, 4]
    a, b, c = Says(sure(1, 9), 1), Says(KeyError()), Says(sure(3), 1)
    assert raced(a, b, c, stagger=4) == (3, "c", "", 2)
    assert [*a.asked, *b.asked, *c.asked] == [0, 1, 1]
    first, second = Says(sure(1), 1), Says(sure(2))
    assert raced(first, second, stagger=4) == (1, "a", "", 1)
    assert second.asked == []


def test_one_that_was_not_asked_in_time_is_late() -> None:
    second = Says(sure(2))
    assert raced(Says(sure(1, 2), 60), second, stagger=20, within=5, default=0) == (
        0,
        "default",
        "late",
        5,
    )
    assert second.asked == []


def test_a_loser_that_is_slow_to_leave_holds_up_no_answer_and_is_gone_at_the_end() -> None:
    stubborn = Says(sure(1), 60, leaving=100)

    async def main() -> tuple[float, float]:
        before = asyncio.all_tasks()
        async with rxml.of({"x": 1}).pipe(hedged(stubborn, Says(sure(2), 1))).open() as flow:
            assert (await flow.request(1)).elements[0]["value"] == 2
            answered = now()
            assert (await flow.request(1)).end
        assert asyncio.all_tasks() == before
        return answered, now()

    assert run(main()) == (1, 101)


def test_whoever_cancels_the_stream_cancels_the_models() -> None:
    a, b = Says(sure(1), 60), Says(sure(2), 60, leaving=5)

    async def main() -> float:
        before = asyncio.all_tasks()
        async with rxml.of({"x": 1}).pipe(hedged(a, b, within=99)).open() as flow:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(flow.request(1), 3)
        assert asyncio.all_tasks() == before
        return now()

    assert run(main()) == 8
    assert (a.cancelled, b.cancelled) == ([3], [3])


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ([Says(KeyError("a"), 2), Says(OSError("b"), 1)], OSError),
        ([Says(KeyError("a")), Says(sure(2), 60)], DeadlineError),
        ([Says({"value": 1}), Says({"value": 2})], SchemaError),
    ],
)
def test_without_any_answer_the_element_fails_and_a_default_is_one(
    how: list[Says], error: type[Exception]
) -> None:
    with pytest.raises(error):
        raced(*how)
    value, rung, reason, _ = raced(*how, default={"value": 7, "sd": 99.0})
    assert (value, rung) == (7, "default")
    assert reason == ("late" if error is DeadlineError else f"error: {error.__name__}")


def test_who_is_late_is_named() -> None:
    with pytest.raises(DeadlineError, match="a: late, b: error: KeyError"):
        raced(Says(sure(1), 60), Says(KeyError()))


def test_only_the_element_fails_and_others_go_on() -> None:
    async def picky(row: Any) -> Any:
        return sure(6 // row["x"])

    rows = rxml.of(*({"x": x} for x in (1, 0, 2)))
    found = run(rows.pipe(hedged(picky), ops.supervise("resume")).to_list())
    assert [row["value"] for row in found] == [6, 3]


SURE: list[tuple[Any, Any, float | None]] = [
    (Interval(0.0, 1.0, level=0.9), Interval(0.0, 3.0, level=0.9), 2.0),
    (Normal(0.0, 1.0), Normal(0.0, 9.0), 2.0),
    (Categorical([0.9, 0.1]), Categorical([0.6, 0.4]), 0.3),
    (np.array([True, False]), np.array([True, True]), None),
]


@pytest.mark.parametrize(("one", "other", "above"), SURE)
def test_whatever_tells_how_sure_an_answer_is(one: Any, other: Any, above: float | None) -> None:
    how = {"when": "guess", "above": above, "into": "guess"}
    (row,) = results([{"x": 1}], hedged(Says(other), Says(one, 1), **how))
    assert (row["rung"], row["reason"]) == ("b", "")


def test_the_element_and_the_answer_say_together_how_unsure_it_is() -> None:
    def far(batch: Any) -> Any:
        return np.abs(batch["value"] - batch["x"]) > 1

    (row,) = results(
        [{"x": 1.0, "id": 3, "reason": "old"}],
        hedged(Says({"value": 9.0}), Says({"value": 1.5}, 1), when=far, above=None),
    )
    assert dict(row) == {"x": 1.0, "id": 3, "value": 1.5, "rung": "b", "reason": ""}


def rows_of(flow: Any) -> list[Any]:
    return [(row["x"], row["rung"]) for row in run(flow.to_list())]


async def as_long(row: Any) -> Any:
    await asyncio.sleep(row["x"])
    return sure(row["x"])


@pytest.mark.parametrize(("ordered", "want"), [(True, [3, 1, 2]), (False, [1, 2, 3])])
def test_elements_leave_in_their_order_or_as_they_are_answered(ordered: bool, want: Any) -> None:
    flow = rxml.of(*({"x": x} for x in (3, 1, 2))).pipe(hedged(as_long, ordered=ordered))
    assert rows_of(flow) == [(x, "a") for x in want]


X = Schema.of(x="float64")


def model(value: float, sd: float) -> Any:
    outputs = Schema.of(value="float64", sd="float64")
    return models.from_function(
        lambda rows: rows.with_columns(
            value=np.full(len(rows), value), sd=np.full(len(rows), sd)
        ).select("value", "sd"),
        inputs=X,
        outputs=outputs,
    )


def test_models_are_scored_in_batches_and_say_who_they_are() -> None:
    small = models.Arm(model(1.0, 9.0), on=models.on_loop())
    big = models.Arm(model(2.0, 0.1), on=Timed(base=1.0))
    found = results([{"x": float(at)} for at in range(20)], hedged(small, big))
    assert {(row["value"], row["rung"], row["model"]) for row in found} == {(2.0, "b", "b")}
    found = results([{"x": 1.0}], hedged(small, big, within=0.5))
    assert (found[0]["value"], found[0]["rung"], found[0]["reason"]) == (1.0, "a", "late")


def test_a_service_answers_each_as_soon_as_it_can_and_by_its_deadline() -> None:
    async def main() -> list[Any]:
        async with Service(hedged(as_long, Says(sure(9, 2)), within=60)) as service:
            late, soon = service.ask({"x": 30}, within=10), service.ask({"x": 1})
            return [(await soon)["rung"], now(), (await late)["reason"], now()]

    assert run(main()) == ["a", 1, "late", 9.5]


def unnamed(models: Any) -> Any:
    return ops.hedge(models, when="sd", within=1)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: unnamed({}), PipelineError, "at least one"),
        (lambda: unnamed([as_long]), PipelineError, "by name"),
        (lambda: hedged(3), PipelineError, "Arm"),
        (lambda: hedged(str), PipelineError, "wants operators"),
        (lambda: hedged(as_long, within=0), ValueError, "within > 0"),
        (lambda: hedged(as_long, stagger=-1), ValueError, "stagger"),
        (lambda: hedged(as_long, above=nan), ValueError, "got nan"),
        (lambda: hedged(as_long, concurrency=0), ValueError, "concurrency"),
        (lambda: hedged(as_long, when=3), TypeError, "when"),
    ],
)
def test_arguments_that_are_wrong_are_named(
    make: Callable[[], Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        make()


def test_elements_without_columns_are_refused_and_numbers_want_a_bound() -> None:
    with pytest.raises(SchemaError, match="must be a mapping"):
        results([3], hedged(Says(sure(1)), default=0))
    with pytest.raises(SchemaError, match="say with above="):
        results([{"x": 1}], hedged(Says(sure(1)), above=None))
