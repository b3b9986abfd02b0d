"""calibrate: labels from a flow beside, in services; classes; runs that are saved; what is said where something is wrong."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.errors import CheckpointError, DistributionError, PipelineError, SchemaError
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.flow.service import Service
from rxml.learning import Coverage
from rxml.testing.virtual_time import run
from rxml.uncertain import Categorical
from tests.unit.checkpointing.memory_store import Died, MemoryStore
from tests.unit.learning.labelled import ends, results, row, split, taught, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


def at_times(*timed: tuple[float, Any]) -> Any:
    """A flow of elements that come at these seconds."""

    async def elements() -> AsyncIterator[Any]:
        for second, each in timed:
            await asyncio.sleep(second - asyncio.get_running_loop().time())
            yield each

    return rxml.from_async_iterable(elements)


def widths(rows: Sequence[Any]) -> list[float]:
    return [ends(each["interval"])[1] for each in rows]


@pytest.mark.parametrize(
    "label", [told(1, 3.0), (1, 3.0), {"id": 1, "value": 3.0, "by": "somebody"}]
)
def test_labels_come_from_a_flow_beside(label: Any) -> None:
    rows = at_times((0, row(1)), (1, row(2)), (3, row(3)))
    found = run(rows.pipe(split(labels=at_times((2, label)))).to_list())
    assert widths(found) == [inf, inf, 3.0]


def test_labels_that_are_of_no_use_are_left_out_and_do_not_hurt_who_is_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    coverage = Coverage(0.5)
    useless = [told(1, "three"), told(1, inf), told([1], 3.0), told(None, 3.0), told(1, [3.0])]
    labels = at_times(*((2, each) for each in [*useless, told(1, 3.0)]))
    found = run(
        at_times((0, row(1)), (3, row(2))).pipe(split(labels=labels, coverage=coverage)).to_list()
    )
    assert widths(found) == [inf, 3.0]
    assert coverage.now.counts.labelled == 1
    assert sum("a label is of no use" in each.message for each in caplog.records) == len(useless)


def test_a_flow_of_labels_that_fails_ends_the_learning_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    labels = rxml.concat(at_times((2, told(1, 3.0))), rxml.throw(RuntimeError("gone")))
    rows = at_times((0, row(1)), (3, row(2)), (4, row(3)))
    assert widths(run(rows.pipe(split(labels=labels)).to_list())) == [inf, 3.0, 3.0]
    assert "gone" in caplog.text


def test_a_service_answers_each_and_learns_beside() -> None:
    async def main() -> list[float]:
        labels = at_times((2, told("a", 4.0)), (2, told("nobody", 4.0)))
        async with Service(split(labels=labels)) as service:
            first = await asyncio.gather(service.ask(row("a")), service.ask(row("b", 1.0)))
            await asyncio.sleep(3)
            with pytest.raises(SchemaError, match="'value'"):
                await service.ask({"id": "c"})
            return widths([*first, await service.ask(row("d", 1.0))])

    assert run(main()) == [inf, inf, 5.0]


def test_labels_among_elements_have_no_place_in_a_service() -> None:
    with pytest.raises(PipelineError, match="calibrate"):
        Service(split())


def test_a_run_that_is_saved_goes_on_as_if_nothing_had_happened() -> None:
    coverage = Coverage(0.5)
    elements = [
        row("late", k="x"),
        *taught([1.0, 5.0, 2.0], k="x"),
        *taught([8.0, 9.0], "y", k="y"),
    ]
    elements += [told("late", 3.0), row("end", k="x"), row("end y", k="y")]

    async def known(store: MemoryStore) -> list[Any]:
        out: dict[Any, Any] = {}

        def keep(each: Any) -> None:
            out[each["id"]] = ends(each["interval"])

        calibrated = split(by="k", coverage=coverage, method="aci")
        flow = rxml.from_iterable(elements).pipe(calibrated, ops.do_action(keep))
        while True:
            try:
                await flow.run(checkpoint=Checkpoint(store, every=None, elements=1))
            except Died:
                continue
            now = coverage.now
            return [out, now.labels, now.covered, now.counts, coverage.worst(), now.recent]

    once = run(known(MemoryStore()))
    coverage = Coverage(0.5)
    assert run(known(MemoryStore(*range(1, 12)))) == once
    assert once[1] == 6


def test_a_state_of_other_settings_is_refused() -> None:
    store = MemoryStore(1)
    saved = Checkpoint(store, every=None, elements=1)
    rows = rxml.from_iterable([row(1), row(2)])
    with pytest.raises(Died):
        run(rows.pipe(split()).run(checkpoint=saved))
    with pytest.raises(CheckpointError, match=r"calibrate: SplitConformal at 0\.5 by id"):
        run(rows.pipe(split(method="aci")).run(checkpoint=saved))


def of_classes(name: Any, *p: float) -> dict[str, Any]:
    return {"id": name, "value": Categorical(list(p))}


def test_lac_gives_the_classes_that_are_likely_enough() -> None:
    elements = [of_classes(1, 0.2, 0.3, 0.5), told(1, "b"), of_classes(2, 0.32, 0.26, 0.42)]
    found = results(elements, split(score="lac", classes="abc", into="classes"))
    assert found[0]["classes"].tolist() == [True, True, True]
    assert found[1]["classes"].tolist() == [True, False, True]


@pytest.mark.parametrize("score", ["lac", "aps", "raps"])
def test_sets_cover_what_they_say_and_are_drawn_alike_again(score: Any) -> None:
    rng = np.random.default_rng(2)
    shares = rng.dirichlet([1.0, 1.0, 2.0], 250)
    labels = [int(rng.choice(3, p=p)) for p in shares]
    rows = [{"id": f"case {at}", "p": p} for at, p in enumerate(shares)]
    elements = [
        each
        for pair in zip(rows, map(told, (each["id"] for each in rows), labels), strict=True)
        for each in pair
    ]

    def sets(coverage: Coverage | None = None) -> list[list[bool]]:
        made = ops.calibrate(0.7, method="split", score=score, prediction="p", coverage=coverage)
        return [each["interval"].tolist() for each in results(elements, made)]

    coverage = Coverage(0.7)
    assert sets(coverage) == sets()
    assert coverage.now.share == pytest.approx(0.7, abs=0.07)


BAD_LABELS: list[tuple[Any, Any, str]] = [
    (told(1, "x"), {}, "a label is to be a number"),
    (told(1, inf), {}, "finite"),
    (told(1.5, 1.0), {}, "an id is a text, bytes, or a whole number"),
    (told(1, 2), {"score": "lac", "prediction": "p"}, "one of 2 classes, 0 to 1"),
    (told(1, "c"), {"score": "aps", "prediction": "p", "classes": ["a", "b"]}, "'a' to 'b': 'c'"),
]


@pytest.mark.parametrize(("label", "how", "text"), BAD_LABELS)
def test_a_bad_label_among_elements_fails_alone_and_nothing_else_is_lost(
    label: Any, how: Any, text: str
) -> None:
    coverage = Coverage(0.5)
    rows = [{**row(at), "p": [0.5, 0.5]} for at in (1, 2)]
    fine = "a" if "classes" in how else 1
    elements = [*rows, told(2, fine), label, told(1, fine)]
    with pytest.raises(SchemaError, match=text):
        results(elements, split(**how))
    resume: Any = ops.supervise("resume")
    results(elements, split(coverage=coverage, **how), resume)
    assert coverage.now.labels == 2


BAD_ROWS: list[tuple[Any, Any, type[Exception], str]] = [
    ({"id": 1}, {}, SchemaError, "'value'"),
    ({"value": 1.0}, {}, SchemaError, "'id'"),
    ({"id": (1, 2), "value": 1.0}, {}, SchemaError, "an id is"),
    ({"id": 2**64, "value": 1.0}, {}, SchemaError, "an id is"),
    (row(1, float("nan")), {}, DistributionError, "parts are NaN"),
    (row(1, 1.0), {"score": "norm"}, SchemaError, "has no 'sd': name a column for each part"),
    (
        {"id": 1, "m": 0.0, "s": -1.0},
        {"score": "norm", "prediction": ("m", "s")},
        DistributionError,
        "sd are negative",
    ),
    (
        of_classes(1, 0.5, 0.5),
        {"score": "lac", "classes": "abc"},
        SchemaError,
        "2 probabilities and 3 classes",
    ),
    (row(1, 1.0), {"score": "aps"}, SchemaError, "probabilities are a Categorical"),
]


@pytest.mark.parametrize(("bad", "how", "error", "text"), BAD_ROWS)
def test_what_cannot_be_calibrated_is_named(bad: Any, how: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        results([bad], split(**how))


BAD_ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"level": 1.0}, "level is 1.0"),
    ({"method": "magic"}, "one of aci, dtaci, nexcp, pid, quantile_tracker, split; got 'magic'"),
    ({"score": "magic"}, "calibrate.score. is one of abs"),
    ({"score": "cqr", "prediction": ("a", "b", "c")}, "one each for"),
    ({"capacity": 0}, "capacity"),
    ({"on_unbounded": "most"}, "on_unbounded"),
]


@pytest.mark.parametrize(("how", "text"), BAD_ARGUMENTS)
def test_arguments_out_of_their_range_are_named(how: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        ops.calibrate(**how)
