"""Each of reactivex's operators in `pipe` gives what it gives in reactivex, at the same times."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from reactivex import operators as rx_operators

from rxml.testing import virtual_time
from tests.lift.bare import Signals, bare, flow, lifted, observable
from tests.lift.samples import APART, SAMPLES

if TYPE_CHECKING:
    from tests.lift.sample import Sample

DOCUMENT = Path(__file__).parents[2] / "docs" / "reactivex.md"

ROWS = [
    pytest.param(sample, id=f"{name}-{number}")
    for name, samples in SAMPLES.items()
    for number, sample in enumerate(samples)
]


def public() -> set[str]:
    return {
        name
        for name, value in vars(rx_operators).items()
        if inspect.isfunction(value)
        and value.__module__ == rx_operators.__name__
        and name[0] != "_"
    }


def test_no_operator_is_left_out() -> None:
    assert len(public()) == 135, (
        "reactivex has other operators now: the table and docs/reactivex.md need them"
    )
    assert public() == {*SAMPLES, *APART}


def test_the_document_says_of_each_what_it_does_in_a_pipe() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [name for name in sorted(public()) if f"`{name}`" not in text] == []


def rebased(signals: Signals, start: float) -> Signals:
    return [(round(time - start, 6), kind, value) for time, kind, value in signals]


@pytest.mark.parametrize("sample", ROWS)
@pytest.mark.parametrize("demand", [1, 1024])
def test_an_operator_in_pipe_gives_what_it_gives_in_reactivex(sample: Sample, demand: int) -> None:
    ours = virtual_time.run(
        lifted(flow(sample.elements, sample.spacing, sample.error), sample.make(), demand),
        limit_seconds=2,
    )
    theirs = virtual_time.run(
        bare(observable(sample.elements, sample.spacing, sample.error), sample.make()),
        check_leaks=False,
        limit_seconds=2,
    )
    assert rebased(ours, 0) == rebased(theirs, 0)
    assert theirs[-1][2] not in {AssertionError, AttributeError, TypeError}, "the sample is wrong"
