"""Streams of predictions and labels, and what comes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rxml
from rxml import operators as ops
from rxml.learning import Label
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rxml.flow.operator import Operator
    from rxml.uncertain import Interval


def row(name: Any, value: float = 0.0, **more: Any) -> dict[str, Any]:
    return {"id": name, "value": value, **more}


def told(name: Any, value: Any, time: int | None = None) -> Label:
    return Label(name, value, time)


def taught(numbers: Iterable[float], name: str = "taught", **more: Any) -> list[Any]:
    """Rows that predict 0, each followed by its label."""
    return [
        each
        for at, number in enumerate(numbers)
        for each in (row(f"{name} {at}", **more), told(f"{name} {at}", number))
    ]


def results(elements: Iterable[Any], *operators: Operator[Any, Any]) -> list[Any]:
    flow: Any = rxml.from_iterable(list(elements))
    for operator in operators:
        flow = flow.pipe(operator)
    return run(flow.to_list())


def ends(interval: Interval) -> tuple[float, float]:
    return float(interval.lo), float(interval.hi)


def split(**how: Any) -> Operator[Any, Any]:
    """Half of all labels are to be within: the radius is the middle one of those that were heard."""
    settings: dict[str, Any] = {"method": "split", **how}
    return ops.calibrate(0.5, **settings)
