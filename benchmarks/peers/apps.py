"""apps: what `rxml serve benchmarks.peers.apps:NAME` serves; each is made when it is asked for."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import rxml.http
from benchmarks.serving.rows import BACK, FEATURES, NAMES, SICK, numpy_model, shifted, weights
from rxml import models
from rxml import operators as ops
from rxml.batch import Field, Schema
from rxml.models.artefacts import linear
from rxml.models.registry import Registry, Version
from rxml.resilience.breaker import Breaker
from rxml.resilience.ejection import Ejection

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch import Batch
    from rxml.models.artefacts.linear import LinearModel

SWAPS: Final = 20
HANG_SECONDS: Final = 0.02
_AT_ONCE: Final = 8
_FAILS: Final = 1
_HANGS: Final = 2


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
    """A model that is replaced as often as the file of that name in RXML_SWAPS has bytes; with BACK bytes it comes back."""
    registry = Registry(tempfile.mkdtemp(prefix="rxml-bench-registry-"))
    for number in range(1, SWAPS + 2):
        registry.publish("model", _model(number))
    registry.promote("model", "live", 1)
    signal = os.environ["RXML_SWAPS"]

    def swap() -> None:
        done = 0
        while done <= SWAPS:
            time.sleep(0.005)
            wanted = os.path.getsize(signal)  # noqa: PTH202 - looked at often
            if wanted == done:
                continue
            done = wanted
            if done == BACK:
                registry.rollback("model", "live")
                return
            registry.promote("model", "live", done + 1)

    threading.Thread(target=swap, daemon=True).start()
    app = rxml.http.App(limits=rxml.http.Limits(connections=4096))
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


def _sick(path: str, name: str, score: Callable[[Any], Any]) -> models.Model:
    """A model of whose calls each second one fails while the file has 1 byte, and that hangs while it has 2."""
    calls = count()

    def predict(batch: Batch) -> Any:
        state = os.path.getsize(path) if name == SICK else 0  # noqa: PTH202 - looked at for each batch
        if state == _FAILS and next(calls) % 2:
            raise RuntimeError(f"{name} fails")
        while state == _HANGS:
            time.sleep(HANG_SECONDS)
            state = os.path.getsize(path)  # noqa: PTH202
        return score(batch["features"])

    return models.from_function(predict, inputs=Schema([Field("features", "float64", (FEATURES,))]))


def supervised() -> rxml.http.App:
    """Three models behind a supervisor, one of which is as well as the length of the file in RXML_CHAOS says."""
    path, score = os.environ["RXML_CHAOS"], numpy_model()
    arms = {
        name: ops.score(_sick(path, name, score), name=name, on=models.threads(1, timeout=1.0))
        for name in ("one", SICK, "three")
    }
    supervisor = models.ModelSupervisor(
        arms,
        within=1.0,
        breaker=partial(Breaker, window=2.0, wait=0.5, most=1.0, slow=None),
        ejection=partial(Ejection[str], seconds=0.5, most=1.0),
    )
    app = rxml.http.App()
    app.predict("/predict", ops.supervise_models(supervisor))
    return app


_MADE: Final[dict[str, Callable[[], rxml.http.App]]] = {
    "light_app": light,
    "swapping_app": swapping,
    "two_apps": two,
    "supervised_app": supervised,
}


def __getattr__(name: str) -> rxml.http.App:
    if name not in _MADE:
        raise AttributeError(name)
    return _MADE[name]()
