from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.errors import PipelineError
from rxml.models.live import Difference, ShadowTally
from rxml.testing.virtual_time import run
from tests.unit.models.live.releases import BROKEN, Version, X, each_after, timed_rows, times
from tests.unit.models.scoring.places import Timed

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable

MODEL = times(1)


def row(x: int) -> dict[str, float]:
    return {"x": float(x)}


def shadowed(
    other: Any, flow: Flowable[Any], **how: Any
) -> tuple[list[Any], list[Difference], ShadowTally]:
    """What is answered, what differs, and the counts."""
    tally, differences = ShadowTally(), list[Difference]()
    how = {"on": models.on_loop(), "shadow_on": models.on_loop(), **how}
    operator = ops.shadow(MODEL, other, on_difference=differences.append, tally=tally, **how)
    return run(flow.pipe(operator).to_list()), differences, tally


def test_the_shadow_sees_the_same_elements_and_what_differs_is_told() -> None:
    square = models.from_function(lambda rows: rows["x"] ** 2, inputs=X)
    flow = rxml.interval(1.0).pipe(ops.take(10), ops.map(row))
    answers, differences, tally = shadowed(square, flow)
    assert [each.value for each in answers] == [float(x) for x in range(10)]
    assert {each["model"] for each in answers} == {answers[0]["model"]}
    assert [(each.answer.value, each.other.value) for each in differences] == [
        (x, x * x) for x in map(float, range(2, 10))
    ]
    assert differences[0].element == {"x": 2.0}
    assert differences[0].shadow is not None
    assert (tally.compared, tally.different, tally.failed) == (10, 8, 0)


@pytest.mark.parametrize("place", [models.on_loop(), Timed(base=50.0)])
def test_a_shadow_that_fails_or_is_slow_touches_no_answer(place: Any) -> None:
    answers, differences, tally = shadowed(BROKEN, timed_rows(100), shadow_on=place)
    assert [each.value for each in answers] == [1.0] * 100
    assert tally.failed == tally.compared == len(differences)
    assert {type(each.error) for each in differences} == {OSError}


def test_answers_come_as_soon_as_they_would_without_the_shadow() -> None:
    async def seconds(operator: Any) -> list[float]:
        loop = asyncio.get_running_loop()
        return [loop.time() async for _ in timed_rows(50).pipe(operator)]

    slow = Timed(base=7.0, row=1.0)
    shadow = ops.shadow(MODEL, times(2), on=models.on_loop(), shadow_on=slow)
    alone = ops.score(MODEL, on=models.on_loop())
    assert run(seconds(shadow)) == run(seconds(alone))
    assert slow.batches


def test_a_shadow_that_is_too_slow_is_spared_what_it_cannot_do() -> None:
    slow = Timed(base=20.0)
    answers, _, tally = shadowed(times(2), timed_rows(200), shadow_on=slow, lag=5)
    assert len(answers) == 200
    assert tally.shed > 100
    assert max(map(len, slow.batches)) <= 5


def test_it_is_spared_first_when_the_model_has_much_to_do() -> None:
    flow = rxml.from_iterable([{"x": 1.0}] * 100)
    place = Timed(base=5.0)
    _, _, tally = shadowed(times(1), flow, on=place, capacity=50, max_batch=10)
    assert tally.shed >= 20
    assert tally.compared + tally.shed <= 100


def test_a_share_of_elements() -> None:
    _, _, tally = shadowed(times(1), timed_rows(100), share=0.25)
    assert tally.compared == 25
    assert tally.different == 0


def test_a_shadow_without_a_model_is_none() -> None:
    for other in (each_after((0, Version(2, broken=True))), rxml.empty()):
        answers, _, tally = shadowed(other, timed_rows(10))
        assert len(answers) == 10
        assert (tally.compared, tally.shed) == (0, 10)


def test_editions_take_over_in_the_shadow() -> None:
    other = each_after((0, Version(1)), (20, Version(2)))
    _, differences, tally = shadowed(other, timed_rows(40))
    assert {each.other["version"] for each in differences} == {"2"}
    assert tally.compared > 35
    assert 10 < tally.different < 30


def test_whoever_looks_on_cannot_stop_the_work(caplog: pytest.LogCaptureFixture) -> None:
    def looks(_: Difference) -> None:
        raise LookupError("not my day")

    operator = ops.shadow(
        MODEL, times(2), on=models.on_loop(), shadow_on=models.on_loop(), on_difference=looks
    )
    assert len(run(timed_rows(5).pipe(operator).to_list())) == 5
    assert caplog.text.count("not my day") == 5


def test_batches_are_compared_as_such() -> None:
    batch = Batch({"x": [1.0, 2.0]})

    async def main(flow: Flowable[Any], other: Any) -> tuple[list[Any], ShadowTally]:
        tally = ShadowTally()
        on = models.on_loop()
        operator = ops.shadow(MODEL, other, on=on, shadow_on=on, tally=tally)
        return await flow.pipe(operator).to_list(), tally

    for other, different in ((times(1), 0), (times(2), 1)):
        flow = timed_rows(1).pipe(ops.map(lambda _: batch))
        (answer,), tally = run(main(flow, other))
        assert answer["value"].tolist() == [1.0, 2.0]
        assert (tally.compared, tally.different) == (1, different)


def test_tolerance() -> None:
    near = models.from_function(lambda rows: rows["x"] + 1e-6, inputs=X)
    assert shadowed(near, timed_rows(10), tolerance=1e-5)[2].different == 0
    assert shadowed(near, timed_rows(10))[2].different == 10


def test_a_shadow_that_hangs_ends_with_the_run_and_holds_up_no_answer() -> None:
    """Real threads: the shadow's never comes back before the answers are all there."""
    gate = threading.Event()

    def hangs(rows: Batch) -> Any:
        if rows["x"][0] == 1.0:
            gate.wait(30)
        return rows["x"]

    async def main() -> int:
        other = models.from_function(hangs, inputs=X)
        count = 0
        async for _ in rxml.from_iterable([{"x": 1.0}] * 500).pipe(
            ops.prefetch(1), ops.shadow(MODEL, other, on=models.on_loop())
        ):
            count += 1
            if count == 500:
                gate.set()
        return count

    assert asyncio.run(main()) == 500


def test_what_cannot_be_right_is_refused_when_it_is_built() -> None:
    other = models.from_function(lambda rows: rows["y"], inputs=Schema.of(y="float64"))
    with pytest.raises(PipelineError, match="in the place of the others"):
        ops.shadow(MODEL, other)
    ranges: list[dict[str, Any]] = [
        {"share": 0},
        {"share": 1.5},
        {"tolerance": -1},
        {"lag": 0},
        {"budget": 0},
    ]
    for wrong in ranges:
        with pytest.raises(ValueError, match="shadow"):
            ops.shadow(MODEL, times(2), **wrong)


def test_a_slab_that_is_parted_is_not_compared_with_what_was_said_of_all_of_it() -> None:
    tally = ShadowTally()
    flow = rxml.from_iterable(Batch({"x": [float(number) for number in range(100_000)]}))
    shadowed = ops.shadow(times(2), times(2), tally=tally, lag=10**6, max_batch=64)
    assert len(asyncio.run(flow.pipe(shadowed).to_list())) == 100_000
    assert tally.different == 0
