"""delayed_labels: what a stream would have brought, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import BufferOverflowError, PipelineError, SchemaError
from rxml.eventtime import punctuated
from rxml.learning import Label
from rxml.testing.virtual_time import run
from tests.unit.learning.labelled import results

if TYPE_CHECKING:
    from rxml.flow.operator import Operator

CLOCK: Operator[Any, Any] = ops.with_event_time("at", unit="s")
SECOND = 1_000_000_000


def labelled(*times: int) -> list[dict[str, Any]]:
    return [{"id": nth, "at": at, "y": nth * 10} for nth, at in enumerate(times)]


def shape(elements: list[Any]) -> list[Any]:
    """Ids of rows, and of labels with a minus, from 1 on."""
    return [-1 - each.id if isinstance(each, Label) else 1 + each["id"] for each in elements]


def test_without_delay_a_label_follows_its_element() -> None:
    out = results(labelled(0, 5, 6), CLOCK, ops.delayed_labels(0))
    assert shape(out) == [1, -1, 2, -2, 3, -3]
    assert out[0] == {"id": 0, "at": 0}
    assert out[3] == Label(1, 10, 5 * SECOND)


def test_what_is_due_at_an_element_comes_before_it_and_the_rest_at_the_end() -> None:
    out = results(labelled(0, 1, 2, 4, 9), CLOCK, ops.delayed_labels(2))
    assert shape(out) == [1, 2, -1, 3, -2, -3, 4, -4, 5, -5]
    assert [each.time for each in out if isinstance(each, Label)] == [
        at * SECOND for at in (2, 3, 4, 6, 11)
    ]


def test_time_is_the_latest_that_was_told_and_the_earliest_due_comes_first() -> None:
    out = results(labelled(5, 1, 2, 8, 9), CLOCK, ops.delayed_labels(timedelta(seconds=3)))
    assert shape(out) == [1, 2, -2, 3, -3, -1, 4, 5, -4, -5]


def test_a_watermark_brings_labels_too() -> None:
    """Of a stream in which nothing follows for long, and whose end the label does not wait for."""
    ahead: Operator[Any, Any] = ops.with_event_time(
        "at", punctuated(lambda row: row["at"] + 100), unit="ns"
    )
    flow = rxml.from_iterable(labelled(0)).pipe(ahead, ops.delayed_labels(50e-9))
    first_two = flow.pipe(ops.take(2))
    assert shape(run(first_two.to_list())) == [1, -1]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_batches_give_what_rows_give(size: int) -> None:
    rows = labelled(0, 1, 1, 3, 2, 7, 8)
    batch = Batch.from_rows(rows)
    parts = [batch[at : at + size] for at in range(0, len(rows), size)]
    steps = (CLOCK, ops.delayed_labels(2))
    assert results(parts, ops.unbatch(), *steps) == results(rows, *steps)


def test_a_batch_in_which_nothing_becomes_due_stays_one() -> None:
    seen: list[Any] = []

    def look(batch: Batch) -> Batch:
        seen.append(batch)
        return batch

    batch = Batch.from_rows(labelled(0, 1, 2))
    flow: Any = rxml.from_iterable([batch]).pipe(
        ops.unbatch(), CLOCK, ops.delayed_labels(60), ops.take(3), ops.map_batch(look)
    )
    run(flow.to_list())
    assert [each.names for each in seen] == [("id", "at")]
    assert len(seen[0]) == 3


def test_more_labels_than_may_wait_fail_the_stream_behind_what_came_before() -> None:
    seen: list[Any] = []
    flow = rxml.from_iterable(labelled(0, 1, 2, 30)).pipe(
        CLOCK, ops.delayed_labels(10, capacity=2), ops.do_action(seen.append)
    )
    with pytest.raises(BufferOverflowError, match="holds 2 labels"):
        run(flow.to_list())
    assert shape(seen) == [1, 2]


def test_as_many_as_may_wait_do() -> None:
    out = results(labelled(0, 1, 2, 3), CLOCK, ops.delayed_labels(2, capacity=2))
    assert shape(out) == [1, 2, -1, 3, -2, 4, -3, -4]


def test_times_at_the_end_of_time_do_not_wrap_around() -> None:
    end = 2**63 - 2
    rows = [{"id": 0, "at": end, "y": 1}, {"id": 1, "at": end, "y": 2}]
    clock: Operator[Any, Any] = ops.with_event_time("at", unit="ns")
    out = results(rows, clock, ops.delayed_labels(5, capacity=2))
    assert shape(out) == [1, 2, -1, -2]


def test_what_it_needs_is_said() -> None:
    with pytest.raises(PipelineError, match="with_event_time"):
        results([], ops.delayed_labels(1))
    with pytest.raises(ValueError, match="delay"):
        ops.delayed_labels(-1)
    with pytest.raises(ValueError, match="capacity"):
        ops.delayed_labels(1, capacity=0)
    with pytest.raises(SchemaError, match="'y'"):
        results([{"id": 1, "at": 0}], CLOCK, ops.delayed_labels(1))
    with pytest.raises(SchemaError, match="an id is"):
        results([{"id": 1.5, "at": 0, "y": 0}], CLOCK, ops.delayed_labels(1))


def test_values_are_plain_and_ids_may_be_texts() -> None:
    batch = Batch({"id": ["a", "b"], "at": np.array([0, 1]), "y": np.array([True, False])})
    out = results([batch], ops.unbatch(), CLOCK, ops.delayed_labels(0))
    assert [(type(each.value), each.id) for each in out[1::2]] == [(bool, "a"), (bool, "b")]
