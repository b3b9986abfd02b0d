"""Models that tell how often they were called, and with how many rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml import models
from rxml.batch import Schema
from rxml.models.adapters.function import FunctionModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch import Batch

XY = Schema.of(x="float64", y="float64")


class Counted(FunctionModel):
    """A function as a model.

    Attributes:
        calls: rows of each call.
    """

    def __init__(self, function: Callable[[Batch], Any], **how: Any) -> None:
        made = models.from_function(function, inputs=how.pop("inputs", XY), **how)
        super().__init__(function, made.signature, "", made.slopes)
        self.calls: list[int] = []

    @override
    def predict(self, batch: Batch) -> Batch:
        self.calls.append(len(batch))
        return super().predict(batch)


def curve(rows: Batch) -> Any:
    """Not linear, and the same to the last bit whatever rows stand beside a row."""
    return rows["x"] * rows["x"] * rows["y"] - rows["y"]
