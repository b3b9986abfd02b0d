"""apps: what `rxml serve benchmarks.peers.apps:NAME` serves; each is made when it is asked for."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import rxml.http
from benchmarks.serving.rows import FEATURES, NAMES, shifted, weights
from rxml import models
from rxml import operators as ops
from rxml.batch import Field, Schema
from rxml.models.artefacts import linear
from rxml.models.registry import Registry, Version

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch import Batch
    from rxml.models.artefacts.linear import LinearModel

SWAPS: Final = 20
HANG_SECONDS: Final = 0.02
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class _Edition:
    """A version that the registry loads when it is wanted."""

    registry: Registry
    version: Version

    @property
    def release(self) -> models.Release:
        return self.version.release

    def load(self) -> models.Model:
        return self.registry.load(self.version)


def _model(version: int = 1) -> LinearModel:
    coefficients, _ = weights()
    named = dict(zip(NAMES, coefficients, strict=True))
    return linear(named, shifted(version), link="logistic")


def light() -> rxml.http.App:
    """One linear model, which takes next to no memory itself."""
    app = rxml.http.App()
    app.predict("/predict", ops.score(_model(), name="model"))
    return app


def swapping() -> rxml.http.App:
    """A model that is replaced as often as the file of that name in RXML_SWAPS has bytes."""
    registry = Registry(tempfile.mkdtemp(prefix="rxml-bench-registry-"))
    for number in range(1, SWAPS + 2):
        registry.publish("model", _model(number))
    registry.promote("model", "live", 1)
    signal = os.environ["RXML_SWAPS"]

    def swap() -> None:
        done = 0
        while done < SWAPS:
            time.sleep(0.005)
            wanted = os.path.getsize(signal)  # noqa: PTH202 - looked at often
            if wanted > done:
                done = wanted
                registry.promote("model", "live", done + 1)

    threading.Thread(target=swap, daemon=True).start()
    app = rxml.http.App()
    editions = registry.watch("model@live", every=0.02).pipe(ops.map(partial(_Edition, registry)))
    app.predict("/predict", ops.score(editions))
    return app


def two() -> rxml.http.App:
    """A model that waits for something else, 8 rows in 20 ms, and a light one."""

    def wait(batch: Batch) -> Any:
        time.sleep(HANG_SECONDS)
        return batch["features"][:, 0]

    slow = models.from_function(wait, inputs=Schema([Field("features", "float64", (FEATURES,))]))
    app = rxml.http.App()
    app.predict("/slow", ops.score(slow, on=models.threads(1), max_batch=_AT_ONCE, budget=0.05))
    app.predict("/predict", ops.score(_model(), name="model"))
    return app


_MADE: Final[dict[str, Callable[[], rxml.http.App]]] = {
    "light_app": light,
    "swapping_app": swapping,
    "two_apps": two,
}


def __getattr__(name: str) -> rxml.http.App:
    if name not in _MADE:
        raise AttributeError(name)
    return _MADE[name]()
