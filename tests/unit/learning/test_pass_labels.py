"""Labels among the elements can be heard by several operators, one behind the other."""

from __future__ import annotations

import asyncio

import pytest

import rxml
from rxml import operators as ops
from rxml.errors import PipelineError
from rxml.learning import Coverage, Label

SEEN = [x for i in range(40) for x in ({"id": i, "value": 0.0}, Label(i, float(i % 5)))]


def test_labels_go_on_to_who_hears_them_further_on() -> None:
    first, second = Coverage(0.5), Coverage(0.8)
    flow = rxml.from_iterable(SEEN).pipe(
        ops.calibrate(0.5, into="half", coverage=first, pass_labels=True),
        ops.calibrate(0.8, coverage=second),
    )
    rows = asyncio.run(flow.to_list())
    assert len(rows) == 40
    assert first.now.labels == second.now.labels == 40


def test_labels_that_come_beside_are_given_to_each_and_not_passed_on() -> None:
    with pytest.raises(PipelineError, match="given to the next operator, too"):
        ops.calibrate(labels=rxml.of(Label(1, 2.0)), pass_labels=True)
