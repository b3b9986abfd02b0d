"""calibrate_probability: each method learns what probabilities mean, key by key, saved or not, labels beside or between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import DistributionError, SchemaError
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.learning import Label
from rxml.testing.virtual_time import run
from rxml.uncertain import Beta, Interval
from rxml.uncertain.calibration.probabilities import Calibeating, PlattScaling
from tests.unit.checkpointing.memory_store import Died, MemoryStore
from tests.unit.learning.labelled import results, row, told

if TYPE_CHECKING:
    from rxml.flow.operator import Operator

METHODS = ["beta", "histogram", "isotonic", "platt", "temperature", "venn_abers"]


def scaled(method: Any = "platt", **how: Any) -> Operator[Any, Any]:
    return ops.calibrate_probability(method, **how)


def overconfident(n: int) -> list[Any]:
    """Rows that say .95 and .05, each followed by its label: .8 and .2 are true."""
    rng = np.random.default_rng(4)
    out: list[Any] = []
    for at in range(n):
        high = bool(rng.random() < 0.5)
        out += [
            row(at, 0.95 if high else 0.05),
            told(at, bool(rng.random() < (0.8 if high else 0.2))),
        ]
    return out


def point(value: Any) -> float:
    if isinstance(value, Interval):
        assert value.level == 1.0
        return float(value.center)
    return float(value.mean() if isinstance(value, Beta) else value)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("calibeating", [False, True])
def test_what_is_said_comes_to_mean_what_happens(method: Any, calibeating: bool) -> None:
    asked = [row("high", 0.95), row("low", 0.05)]
    found = results([*overconfident(400), *asked], scaled(method, calibeating=calibeating))
    high, low = (each["probability"] for each in found[-2:])
    kind = {"histogram": Beta, "venn_abers": Interval}.get(method, float)
    assert isinstance(high, float if calibeating else kind)
    assert point(high) == pytest.approx(0.8, abs=0.09)
    assert point(low) == pytest.approx(0.2, abs=0.09)


def test_keys_learn_apart_and_doubt_is_told() -> None:
    elements: list[Any] = []
    for at in range(3):
        elements += [row(at, 0.5, k="a"), told(at, value=True)]
    elements += [row("a", 0.5, k="a"), row("b", 0.5, k="b")]
    *_, one, other = results(elements, scaled("histogram", by="k", into="p"))
    assert one["p"].equals(Beta(4.0, 1.0))
    assert other["p"].equals(Beta(1.0, 1.0))


def test_a_key_that_was_given_up_is_not_taught() -> None:
    elements = [
        row(1, 0.5, k="a"),
        row(2, 0.5, k="b"),
        told(1, 1),
        row(3, 0.5, k="b"),
        row(4, 0.5, k="a"),
    ]
    by: Operator[Any, Any] = ops.key_by("k", max_keys=1)
    found = results(elements, by, scaled("histogram"))
    assert all(each["probability"].equals(Beta(1.0, 1.0)) for each in found)


@pytest.mark.parametrize("said", [Beta(8.0, 2.0), Beta(80.0, 20.0) > -1.0, 0.8, np.float64(0.8)])
def test_events_and_distributions_have_a_probability(said: Any) -> None:
    (only,) = results([{"id": 1, "value": said}], scaled("temperature"))
    assert only["probability"] == pytest.approx(1.0 if type(said).__name__ == "Bernoulli" else 0.8)


def test_batches_and_labels_beside_come_to_what_rows_do() -> None:
    elements = overconfident(50)
    labels = [each for each in elements if isinstance(each, Label)]
    rows = [each for each in elements if not isinstance(each, Label)]
    late = [{**each, "id": 100 + each["id"]} for each in rows]
    want = results([*rows, *labels, *late], scaled())
    flow = rxml.concat(rxml.from_batches([Batch.from_rows(rows)]), rxml.from_iterable(labels))
    mixed = rxml.concat(flow, rxml.from_batches([Batch.from_rows(late)]))
    assert run(mixed.pipe(scaled()).to_list()) == want
    assert want[0]["probability"] != want[50]["probability"]


@pytest.mark.parametrize("method", METHODS)
def test_a_run_that_is_saved_goes_on_as_if_nothing_had_happened(method: Any) -> None:
    elements = overconfident(12)

    async def known(store: MemoryStore) -> dict[Any, Any]:
        out: dict[Any, Any] = {}

        def keep(each: Any) -> None:
            out[each["id"]] = point(each["probability"])

        flow = rxml.from_iterable(elements).pipe(
            scaled(method, calibeating=True), ops.do_action(keep)
        )
        while True:
            try:
                await flow.run(checkpoint=Checkpoint(store, every=None, elements=1))
            except Died:
                continue
            return out

    assert run(known(MemoryStore(*range(1, 20)))) == run(known(MemoryStore()))


@pytest.mark.parametrize(
    ("bad", "error", "text"),
    [
        (row(1, 1.5), DistributionError, r"row 0 says 1\.5: a probability is within"),
        (row(1, float("nan")), DistributionError, "row 0 says nan"),
        ({"id": 1}, SchemaError, "'value'"),
        ({"id": 1, "value": "x"}, SchemaError, "no column of numbers"),
        (told(0, 0.5), SchemaError, "else False or 0: got 0.5"),
        (told(0, "yes"), SchemaError, "got 'yes'"),
    ],
)
def test_what_is_no_probability_or_answer_is_named(bad: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        results([row(0, 0.5), bad], scaled())


def test_methods_may_be_ones_own_and_others_are_refused() -> None:
    (only,) = results([row(1, 0.3)], scaled(lambda: Calibeating(PlattScaling(), 5)))
    assert only["probability"] == pytest.approx(0.3)
    with pytest.raises(ValueError, match="one of beta, histogram, isotonic, platt, temperature"):
        scaled("magic")
