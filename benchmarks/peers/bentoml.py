"""BentoML: a service with a batchable endpoint, its adaptive batching held to
ten seconds: held to 100 ms it answered 503 to some of 64 connections, on a machine with other work.

    bentoml serve benchmarks.peers.bentoml:Regression
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.serving.rows import regression

BATCH = 64
LATENCY_MS = 10_000

_bentoml: Any = import_module("bentoml")


class Model:
    """The model behind BentoML's decorators."""

    def __init__(self) -> None:
        self.model: Any = regression()

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """All rows of a batch."""
        values: np.ndarray = self.model.predict_proba(rows)[:, 1]
        return values


# BentoML wants types, not their names.
Model.predict.__annotations__ = {"rows": np.ndarray, "return": np.ndarray}
_batched: Any = _bentoml.api(batchable=True, max_batch_size=BATCH, max_latency_ms=LATENCY_MS)
setattr(Model, "predict", _batched(Model.predict))  # noqa: B010 - what checkers know is a method
_served: Any = _bentoml.service(metrics={"enabled": False}, logging={"access": {"enabled": False}})
Regression: Any = _served(Model)
