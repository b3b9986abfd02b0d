"""Models behind paths of `app.predict`."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Schema
from tests.http.helpers import app

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from rxml.flow.operator import Operator
    from rxml.http import App, Server
    from rxml.http.predict.endpoint import Predict

ROW = Schema.of(x="float64", k="int64")


class Sums:
    """x + k, which is told how many rows there were; fails for a batch with a k of 13."""

    def __init__(self) -> None:
        self.seen: list[float] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, rows: Batch) -> np.ndarray[Any, Any]:
        self.gate.wait(10)
        if (rows["k"] == 13).any():
            raise ZeroDivisionError("a secret of the model")
        self.seen += rows["x"].tolist()
        total: np.ndarray[Any, Any] = np.add(rows["x"], rows["k"])
        return total

    def operator(self, *, threads: bool = False) -> Operator[Any, Any]:
        """Scores by it, as `sums`, version 7."""
        model = models.from_function(self, inputs=ROW)
        place = models.threads(1) if threads else None
        return ops.score(model, name="sums", version="7", on=place)


def sums(*, threads: bool = False, **options: Any) -> tuple[App, Sums]:
    """An app that answers at `/in`."""
    limits = options.pop("limits", {})
    service, model = app(**limits), Sums()
    service.predict("/in", model.operator(threads=threads), **options)
    return service, model


@asynccontextmanager
async def ready(service: App) -> AsyncGenerator[Server]:
    """Served, with its model loaded."""
    async with service.serve() as server:
        yield server


def predict_of(service: App) -> Predict:
    """The endpoint."""
    [found] = service.endpoints
    return found  # type: ignore[return-value] # pyright: ignore[reportReturnType]
