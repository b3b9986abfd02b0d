"""Place: where a model runs, and the workers that it has there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch import Batch
    from rxml.models.model import Model

    Done: TypeAlias = Callable[[Batch | Exception, float], None]
    """Told what came of a batch, and how many seconds the model took for it."""


class Workers(Protocol):
    """One model, ready to score. All methods are called on the event loop."""

    @property
    def idle(self) -> int:
        """How many workers would begin at once."""
        ...

    @property
    def count(self) -> int:
        """How many workers there are."""
        ...

    @property
    def hold(self) -> float:
        """Seconds that a batch may take here, whatever users want: on the event loop others wait meanwhile; else inf."""
        ...

    def start(self, batch: Batch, done: Done) -> None:
        """Have an idle worker score a batch of the model's inputs.

        `done` is called once, on the event loop, perhaps before this returns. A worker that dies under a batch gives a
        `WorkerLostError`: the rows are not to blame.
        """
        ...

    def pressure(self, oldest: float) -> None:
        """All workers are busy, and the row that waits longest has waited so many seconds."""
        ...

    async def close(self) -> None:
        """Wait for what is under way, then let go of everything. Idempotent; what is under way is told as ever."""
        ...


class Place(Protocol):
    """A way to run models: on the loop, in threads, in processes."""

    async def open(self, model: Model, ready: Callable[[], None]) -> Workers:
        """Workers that have the model, loaded and warm; none of it held up the loop.

        Args:
            model: what they run.
            ready: called on the loop whenever a worker becomes idle otherwise than by telling `done`.

        Raises:
            Exception: the model cannot run there.
        """
        ...
