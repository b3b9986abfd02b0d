"""`ops.retrain`: when trainings begin, what they are given, and what becomes of their models."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import PipelineError
from rxml.learning import Label
from rxml.learning.facade import LearningConfig, ModelLearning
from rxml.learning.facade.frames import Failed, Told
from rxml.learning.retraining.gates import Incumbent, Threshold
from rxml.learning.retraining.kernel import Retraining, RetrainingReport
from rxml.learning.retraining.rows import LatestRows, batch_of
from rxml.models.artefacts import linear
from rxml.models.registry import FactRange, Registry
from rxml.testing.virtual_time import run
from tests.unit.learning.facade_scripted import Scripted, made

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rxml.flow.flowable import Flowable

CONFIG = LearningConfig("shop:train", timeout=100.0)
AT_ONCE = [made()]


def above_four(x: int) -> bool:
    return x > 4


def inverse(x: int) -> float:
    return 1 / (1 - x)


def passed(
    flow: Flowable[Any], script: Scripted, **how: Any
) -> tuple[list[Any], Sequence[RetrainingReport]]:
    """The elements that came out, and what was told."""
    told = Retraining()

    async def main() -> list[Any]:
        async with ModelLearning(launch=script) as learning:
            retrain = ops.retrain(learning, CONFIG, retraining=told, **how)
            return await flow.pipe(retrain).to_list()

    out = run(main())
    return out, told.recent()


def paced(*items: Any) -> Flowable[Any]:
    """One each second."""

    def item(i: int) -> Any:
        return items[i]

    return rxml.interval(1).pipe(ops.take(len(items)), ops.map(item))


def test_a_training_begins_behind_every_so_many_elements() -> None:
    out, told = passed(paced(*range(7)), Scripted(AT_ONCE), every=3)
    assert out == list(range(7))
    assert [(each.decision, each.seen) for each in told] == [("trained", 3), ("trained", 6)]


def test_elements_pass_while_a_training_runs_and_another_is_skipped() -> None:
    script = Scripted([2.5, made()])
    out, told = passed(paced(*range(6)), script, every=2)
    assert out == list(range(6))
    # begun at 2 s until 4.5 s, asked for at 4 s, and begun again at 6 s: the end waits for that
    assert [(each.decision, each.seen) for each in told] == [
        ("skipped", 4),
        ("trained", 2),
        ("trained", 6),
    ]
    assert len(script.begun) == 2


def test_elements_are_not_held_up() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        async with ModelLearning(launch=Scripted([50.0, made()])) as learning:
            retrain = ops.retrain(learning, CONFIG, every=1)
            flow = paced(1, 2, 3).pipe(retrain, ops.map(lambda _: loop.time()))
            return [*await flow.to_list(), loop.time()]

    assert run(main()) == [1.0, 2.0, 3.0, 51.0]


def test_a_function_says_of_an_element_that_a_training_begins() -> None:
    _, told = passed(paced(1, 5, 2, 7), Scripted(AT_ONCE), when=above_four)
    assert [each.seen for each in told] == [2, 4]


def test_a_flow_says_when_and_its_failure_is_nobody_elses(caplog: pytest.LogCaptureFixture) -> None:
    drifts = rxml.timer(2.5).pipe(ops.map(inverse), ops.concat(rxml.throw(OSError("gone"))))
    out, told = passed(paced(*range(4)), Scripted(AT_ONCE), when=drifts)
    assert out == list(range(4))
    assert [(each.decision, each.seen) for each in told] == [("trained", 2)]
    assert "gone" in caplog.text


def test_event_time_says_when() -> None:
    rows = [{"at": at} for at in (5, 9, 8, 12, 11, 29, 31)]
    flow = paced(*rows).pipe(ops.with_event_time("at", unit="s"))
    _, told = passed(flow, Scripted(AT_ONCE), schedule=10)
    assert [each.seen for each in told] == [4, 6, 7]


def test_the_trainer_has_the_latest_rows_without_labels_and_the_facts_of_that_moment() -> None:
    script = Scripted(AT_ONCE)
    rows = [{"x": 1}, Label(1, 2.0), {"x": 2}, {"x": 3}, {"x": 4}]
    calls: list[int] = []

    def facts() -> FactRange:
        calls.append(1)
        return FactRange(0, 10 * len(calls))

    _, told = passed(rxml.of(*rows), script, every=3, rows=2, facts=facts)
    ((config, data),) = script.begun
    assert data is not None
    assert data.equals(Batch({"x": [2, 3]}))
    assert (config.facts, config.trainer) == (FactRange(0, 10), "shop:train")
    assert [each.seen for each in told] == [3]


@pytest.mark.parametrize("most", [0, 1, 3, 100])
def test_latest_rows_are_the_same_however_they_come(most: int) -> None:
    whole = Batch({"x": list(range(12))})
    kept = LatestRows(most)
    for start, stop in ((0, 2), (2, 2), (2, 7), (7, 8), (8, 12)):
        kept.add(whole[start:stop])
    again = LatestRows(most)
    again.restore(kept.snapshot())
    singly = LatestRows(most)
    for row in whole:
        singly.add([row])
    for each in (kept, again, singly):
        assert len(each) == min(most, 12)
        found = batch_of(each.parts())
        assert ([] if found is None else found["x"].tolist()) == list(range(12))[12 - len(each) :]


def test_rows_that_are_none_are_a_failure_of_the_training_alone() -> None:
    out, (report,) = passed(rxml.of(1, 2), Scripted(AT_ONCE), every=2, rows=5)
    assert out == [1, 2]
    assert (report.decision, report.result) == ("failed", None)
    assert "Error" in report.reason


@pytest.mark.parametrize("fault", ["facts", "gate"])
def test_functions_that_raise_are_told_and_fail_no_element(fault: str) -> None:
    def broken(*_: object) -> Any:
        raise KeyError("no log")

    how = {"facts": broken} if fault == "facts" else {"accept": broken}
    out, (report,) = passed(rxml.of(1, 2), Scripted(AT_ONCE), every=2, **how)
    assert (out, report.decision, report.reason) == ([1, 2], "failed", "KeyError: 'no log'")
    assert (report.result is None) == (fault == "facts")  # a model that is there is not lost


def test_a_failed_training_is_told() -> None:
    script = Scripted([Failed("ValueError", "no rows")])
    _, (report,) = passed(rxml.of(1, 2), script, every=2, accept=Threshold("rmse", below=0.1))
    assert (report.decision, report.reason) == ("failed", "ValueError: no rows")
    assert report.result is not None
    assert report.result.outcome == "failed"


def test_what_is_accepted_is_published_and_what_is_not_says_why(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    script = Scripted([made(1.0)], [made(1.05)], [made(0.5)])
    gates = (Threshold("rmse", below=2.0), Incumbent(registry, "price@challenger", "rmse"))
    out, told = passed(
        paced(1, 2, 3), script, every=1, accept=gates, publish_to=registry, name="price", alias="challenger"
    )  # fmt: skip
    assert out == [1, 2, 3]
    assert [each.decision for each in told] == ["published", "rejected", "published"]
    assert "rmse is 1.05, surely no more than below 1.15, and must be below 1" in told[1].reason
    assert [str(each.version) for each in told] == ["price:1", "None", "price:2"]
    assert registry.aliases("price")["challenger"].version == "2"
    assert registry.find("price:2").manifest.metrics == {"rmse": 0.5}


def test_what_the_registry_refuses_is_rejected(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    script = Scripted([made(float("inf"))])
    _, (report,) = passed(rxml.of(1), script, every=1, publish_to=registry, name="price")
    assert (report.decision, "finite number" in report.reason) == ("rejected", True)


def test_the_handle_tells_progress_and_cancels() -> None:
    told = Retraining()

    async def main() -> list[Any]:
        script = Scripted([1.0, Told(1, 2, {}), 50.0, made()])
        async with ModelLearning(launch=script) as learning:
            flow = paced(1, 2, 3, 4).pipe(
                ops.retrain(learning, CONFIG, every=1, retraining=told),
                ops.do_action(lambda x: told.cancel() if x == 3 else None),
            )
            out = await flow.to_list()
            first = await told.progress.pipe(ops.take(1)).to_list()
            reports = await told.reports.pipe(ops.take(4)).to_list()
            return [out, first[0].seconds, [each.decision for each in reports]]

    assert run(main()) == [[1, 2, 3, 4], 1.0, ["skipped", "skipped", "failed", "trained"]]
    assert told.recent()[2].reason == "it was cancelled"


def test_a_cancelled_flow_ends_its_training() -> None:
    script = Scripted([50.0, made()])
    told = Retraining()

    async def main() -> None:
        async with ModelLearning(launch=script) as learning:
            flow = rxml.interval(1).pipe(
                ops.retrain(learning, CONFIG, every=1, retraining=told), ops.take(3)
            )
            assert len(await flow.to_list()) == 3
            assert (script.open, len(script.begun)) == (0, 1)

    run(main())


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ({}, ValueError, "nothing would begin"),
        ({"every": 0}, ValueError, "every"),
        ({"every": 1, "rows": -1}, ValueError, "rows"),
        ({"schedule": 0}, ValueError, "schedule"),
        ({"schedule": 10}, PipelineError, "event time"),
        ({"when": 3}, PipelineError, "wants flows"),
        ({"every": 1, "publish_to": Registry("nowhere")}, ValueError, "name="),
    ],
)
def test_what_makes_no_sense_is_refused(how: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        _ = rxml.of(1).pipe(ops.retrain(ModelLearning(), CONFIG, **how))
    with pytest.raises(PipelineError, match="ModelLearning"):
        ops.retrain(CONFIG, CONFIG, every=1)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


class Measured:
    """What has been measured."""

    def __init__(self) -> None:
        self.metrics = {"accuracy": 0.9, "rmse": 1.0}
        self.intervals = {"accuracy": (0.8, 0.95)}


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        (Threshold("accuracy", above=0.79), ""),
        (Threshold("accuracy", above=0.8), "surely no more than above 0.8, and must be above 0.8"),
        (Threshold("accuracy", below=0.96), ""),
        (Threshold("accuracy", below=0.94), "surely no more than below 0.95"),
        (Threshold("rmse", below=2.0), "how sure that is was not said"),
        (Threshold("rmse", below=2.0, sure=False), ""),
        (Threshold("rmse", below=1.0, sure=False), "must be below 1"),
        (Threshold("f1", above=0.0), "f1 was not measured"),
    ],
)
def test_a_threshold_is_for_the_bound_that_is_on_the_wrong_side(
    gate: Threshold, words: str
) -> None:
    said = gate(Measured())
    assert words in said
    assert bool(words) == bool(said)


def test_an_incumbent_is_to_be_beaten(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    gate = Incumbent(registry, "m@champion", "accuracy", larger_is_better=True, margin=0.1)
    assert gate(Measured()) == ""
    said: list[str] = []
    for metrics in ({"accuracy": 0.69}, {"accuracy": 0.71}, {"rmse": 1.0}):
        version = registry.publish("m", linear({"x": 1.0}), metrics=metrics)
        registry.promote("m", "champion", version)
        said.append(gate(Measured()))
    assert said[0] == ""
    assert "must be above 0.81" in said[1]
    assert "no metric 'accuracy'" in said[2]


@pytest.mark.parametrize("wrong", [{}, {"above": 1.0, "below": 2.0}, {"above": float("nan")}])
def test_a_threshold_wants_one_number(wrong: Any) -> None:
    with pytest.raises(ValueError, match="above= or below="):
        Threshold("rmse", **wrong)
