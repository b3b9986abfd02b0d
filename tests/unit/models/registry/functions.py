"""Models that are functions of a module."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rxml.batch import Schema
from rxml.models import from_function

if TYPE_CHECKING:
    from rxml.batch import Batch
    from rxml.models import Model


def double(rows: Batch) -> Any:
    return 2 * rows["x"]


def around(rows: Batch) -> Any:
    return rows["x"], rows["x"] - 1, rows["x"] + 1


def bounded() -> Model:
    outputs = Schema.of(value="float64", lower="float64", upper="float64")
    return from_function(
        around, inputs=Schema.of(x="float64"), outputs=outputs, uncertainty="interval"
    )


def learnt() -> Any:
    model: Any = import_module("river.linear_model").LinearRegression()
    for at in range(20):
        model.learn_one({"x": at / 10}, at / 5)
    return model
