"""Models behind the Open Inference Protocol."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml import models
from rxml.batch import Batch, Field, Schema
from tests.http.helpers import app

if TYPE_CHECKING:
    from rxml.http import App

ALL = Schema(
    [
        Field("half", "float16"),
        Field("flag", "bool"),
        Field("text", object),
        Field("small", "uint8"),
        Field("pair", "float32", (2,)),
    ]
)


def echo() -> models.Model:
    """Gives what it is given."""
    return models.from_function(lambda rows: rows.select(*ALL), inputs=ALL, outputs=ALL)


class Sums:
    """x + 1, held back while its gate is closed."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.seen: list[float] = []

    def __call__(self, rows: Batch) -> Any:
        self.gate.wait(10)
        self.seen += rows["x"].tolist()
        return np.add(rows["x"], 1.0)

    def model(self) -> models.Model:
        """Of one input."""
        return models.from_function(self, inputs=Schema.of(x="float64"))


def inferred(given: Any = None, **options: Any) -> App:
    """An app that serves models."""
    service = app(**options.pop("limits", {}))
    sums = Sums().model()
    service.inference(
        {"sums": {"1": sums, "2": sums}, "other": sums, "echo": echo()} if given is None else given,
        **options,
    )
    return service


def tensor(name: str, datatype: str, shape: list[int], data: Any, **parameters: Any) -> Any:
    """An input."""
    found = {"name": name, "datatype": datatype, "shape": shape}
    if data is not None:
        found["data"] = data
    return {**found, "parameters": parameters} if parameters else found


def x(*values: float) -> dict[str, Any]:
    """A request of rows."""
    return {"inputs": [tensor("x", "FP64", [len(values)], list(values))]}
