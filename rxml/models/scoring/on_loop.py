"""The event loop as the only worker."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from rxml.flow.clock import HOLD
from rxml.models.scoring.hand import tamed

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch import Batch
    from rxml.models.model import Model
    from rxml.models.scoring.place import Done


class LoopWorkers:
    """The event loop as the only worker: no hop to a thread, for models that take a moment.

    Args:
        model: is called where the batch is given.

    Attributes:
        now: what the model gives for a batch, or raises, and the seconds that it took.
    """

    idle: int = 1
    count: int = 1
    hold: float = HOLD

    def __init__(self, model: Model) -> None:
        self._model = model
        self.now: Callable[[Batch], tuple[Batch | Exception, float]] = partial(timed, model)

    def start(self, batch: Batch, done: Done) -> None:
        """See `Workers.start`; `done` is called before this returns."""
        done(*timed(self._model, batch))

    def pressure(self, oldest: float) -> None:
        """There is but one loop."""

    async def close(self) -> None:
        """Nothing to let go of."""


def timed(model: Model, batch: Batch) -> tuple[Batch | Exception, float]:
    """What the model gives, or raises, and the seconds that it took."""
    began = perf_counter()
    try:
        result: Batch | Exception = model.predict(batch)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - told; a model that exits ends nothing but its batch
        result = tamed(error)
    return result, perf_counter() - began
