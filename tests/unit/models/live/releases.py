"""Models, editions and rows that tests of live models have in common."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import rxml
from rxml import models
from rxml.batch import Batch, Schema
from rxml.models import Release

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import numpy as np

    from rxml.flow.flowable import Flowable
    from rxml.models import Model

X = Schema.of(x="float64")


def times(factor: float) -> Model:
    return models.from_function(lambda rows: factor * rows["x"], inputs=X)


def failing(rows: Batch) -> np.ndarray[Any, Any]:
    raise OSError("down")


BROKEN = models.from_function(failing, inputs=X)


@dataclass
class Version:
    """An edition whose model multiplies by its number; broken versions cannot be loaded."""

    number: int
    broken: bool = False
    function: Callable[[Batch], Any] | None = None
    output: str = "value"

    @property
    def release(self) -> Release:
        return Release("times", str(self.number))

    def _multiplied(self, rows: Batch) -> Any:
        return self.number * rows["x"]

    def load(self) -> Model:
        if self.broken:
            raise OSError("the file is damaged")
        outputs = Schema.of(**{self.output: "float64"})
        function = self.function or self._multiplied
        return models.from_function(function, inputs=X, outputs=outputs)


def each_after(*given: tuple[float, Any]) -> Flowable[Any]:
    """Elements, each so many seconds behind the one before; then none for long."""

    async def come() -> AsyncIterator[Any]:
        for seconds, element in given:
            await asyncio.sleep(seconds)
            yield element
        await asyncio.sleep(1e6)

    return rxml.from_async_iterable(come)


def rows(count: int) -> list[dict[str, Any]]:
    return [{"id": f"user-{number}", "x": 1.0} for number in range(count)]


def timed_rows(count: int, every: float = 1.0) -> Flowable[dict[str, Any]]:
    """Rows, one in so many seconds."""

    async def come() -> AsyncIterator[dict[str, Any]]:
        for row in rows(count):
            await asyncio.sleep(every)
            yield row

    return rxml.from_async_iterable(come)
