"""ModelLearning: trainings off the loop, a bounded number at once, each with an end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self

from rxml.errors import WorkerLostError
from rxml.flow.check import require_count
from rxml.flow.scope import Scope
from rxml.learning.facade.frames import Made, Told
from rxml.learning.facade.process import in_process
from rxml.learning.facade.training import End, Training

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch import Batch
    from rxml.learning.facade.config import LearningConfig, Progress
    from rxml.learning.facade.process import Launch
    from rxml.learning.facade.result import LearningResult, Outcome

_OUT: Final = "MemoryError"


class ModelLearning:
    """A facade in front of what learns models (Smith, Machine Learning Systems, 2018, chapter 5).

    Each training runs in a process of its own: it may hold the interpreter, hang, crash or take all memory that it is
    given, and whoever asked for it gets a `LearningResult` that says so, at its timeout at the latest. No process and no
    file is left of it, wherever its own processes have gone to hide, and even if this process is killed: on Linux another one
    guards it. Nothing is pickled: the trainer is named, rows and models travel as `rxml.wire` and files have them.

    Args:
        at_once: trainings that run at the same time, >= 1.
        waiting: trainings that wait for their turn, >= 0; what is asked for beyond that is refused at once.
        keep: reports of progress that each training remembers, >= 1.
        launch: how a trainer is started; for tests.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> import asyncio
        >>> async def main():
        ...     async with ModelLearning() as learning:
        ...         return await learning.learn(LearningConfig("shop:train", timeout=60.0))
        >>> from rxml.learning.facade import LearningConfig, ModelLearning
        >>> result = asyncio.run(main())
        >>> result.outcome, result.reason
        ('failed', "ModuleNotFoundError: No module named 'shop'")
    """

    def __init__(
        self,
        *,
        at_once: int = 1,
        waiting: int = 8,
        keep: int = 1024,
        launch: Launch = in_process,
    ) -> None:
        self._at_once = require_count("ModelLearning(at_once)", at_once, 1)
        self._waiting = require_count("ModelLearning(waiting)", waiting, 0)
        self._keep = require_count("ModelLearning(keep)", keep, 1)
        self._launch = launch
        self._seats = asyncio.Semaphore(at_once)
        self._scope = Scope()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Cancel all trainings, and wait until nothing of them is left."""
        self._closed = True
        await self._scope.aclose()

    def start(
        self,
        config: LearningConfig,
        data: Batch | None = None,
        *,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Training:
        """Begin a training; call it on a running loop.

        Args:
            config: what is trained.
            data: rows that the trainer is given beside the config.
            on_progress: told each time that the trainer tells how far it is; what it raises is logged.

        Raises:
            RuntimeError: it is closed.
        """
        if self._closed:
            raise RuntimeError("this ModelLearning is closed")
        training = Training(config, self._keep, on_progress)
        if len(self._scope) >= self._at_once + self._waiting:
            training.end("refused", f"{len(self._scope)} trainings run or wait already")
            return training
        work = self._scope.spawn(self._run(training, data), name=f"learn {config.trainer}")
        training.begin(work)
        return training

    async def learn(self, config: LearningConfig, data: Batch | None = None) -> LearningResult:
        """Train, and wait for what that comes to; whoever is cancelled meanwhile cancels the training, too.

        Args:
            config: what is trained.
            data: rows that the trainer is given beside the config.

        Raises:
            RuntimeError: it is closed.
        """
        training = self.start(config, data)
        try:
            return await training.result()
        except asyncio.CancelledError:
            await training.stopped()
            raise

    async def _run(self, training: Training, data: Batch | None) -> None:
        try:
            async with self._seats:
                training.seated()
                end = await self._limited(training, data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a result and no outage
            end = _failure(error)
        training.end(*end)

    async def _limited(self, training: Training, data: Batch | None) -> End:
        seconds = training.config.timeout
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await self._trained(training, data)
        except Exception:
            if not limit.expired():
                raise
        return End("timed_out", f"it took more than {seconds:g} s, and was killed")

    async def _trained(self, training: Training, data: Batch | None) -> End:
        async with self._launch(training.config, data) as learner:
            while isinstance(said := await learner.told(), Told):
                training.tell(said)
                await asyncio.sleep(0)  # or one that says much holds the loop
            if isinstance(said, Made):
                return End("trained", "", said, await learner.artefact(said))
            how: Outcome = "out_of_memory" if said.kind == _OUT else "failed"
            return End(how, f"{said.kind}: {said.words}")


def _failure(error: Exception) -> End:
    if isinstance(error, WorkerLostError):
        return End("crashed", str(error))
    return End("failed", f"{type(error).__name__}: {error}")
