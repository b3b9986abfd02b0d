"""Training: one training under way, as whoever asked for it sees it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rxml.flow.kinds import body_source
from rxml.flow.scope import finished, settled
from rxml.flow.supervising.news import News
from rxml.learning.facade.config import Progress
from rxml.learning.facade.result import LearningResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable
    from rxml.learning.facade.config import LearningConfig
    from rxml.learning.facade.frames import Made, Told
    from rxml.learning.facade.result import Outcome
    from rxml.models.artefacts.artefact import Artefact

_LOG: Final = logging.getLogger("rxml.learning")
_READ: Final = 64
_TOLD: Final = ("metrics", "intervals", "coverage", "features", "notes")


class End(NamedTuple):
    """How a training has ended; see `LearningResult`."""

    outcome: Outcome
    reason: str
    made: Made | None = None
    artefact: Artefact | None = None


class Training:
    """One training. Made by `ModelLearning.start`.

    Args:
        config: that it goes by.
        keep: reports of progress that are remembered.
        heard: told of each; None: nobody is.
    """

    def __init__(
        self, config: LearningConfig, keep: int, heard: Callable[[Progress], object] | None
    ) -> None:
        self._heard = heard
        self.config: LearningConfig = config
        self._news: News[Progress] = News(keep)
        self._result: asyncio.Future[LearningResult] = asyncio.get_running_loop().create_future()
        self._work: asyncio.Task[None] | None = None
        self._began = asyncio.get_running_loop().time()

    @property
    def progress(self) -> Flowable[Progress]:
        """What is remembered of its progress, then what it tells, until it has ended."""
        return body_source("progress", self._follow, capacity=_READ, rate=True)

    @property
    def latest(self) -> Progress | None:
        """The latest progress; None before the first."""
        recent = self._news.recent()
        return recent[-1] if recent else None

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._result.done()

    def cancel(self) -> None:
        """Have it killed; its result says so. Nothing if it has ended."""
        if self._work is not None:
            self._work.cancel()

    async def stopped(self) -> None:
        """Cancel it, and wait until nothing of it is left."""
        self.cancel()
        await settled([self._result])

    async def result(self) -> LearningResult:
        """What it came to, once that is known; whoever is cancelled while waiting cancels nobody else."""
        await finished(self._result)
        return self._result.result()

    def begin(self, work: asyncio.Task[None]) -> None:
        """It is under way: when that task ends without a result, it was cancelled."""
        self._work = work
        work.add_done_callback(lambda _: self.end("cancelled", "it was cancelled"))

    def seated(self) -> None:
        """It need not wait any more: its time counts from now on."""
        self._began = asyncio.get_running_loop().time()

    def tell(self, told: Told) -> None:
        """It is further on."""
        progress = Progress(told.done, told.total, told.metrics, self._seconds())
        self._news.tell(progress)
        if self._heard is not None:
            try:
                self._heard(progress)
            except Exception:  # noqa: BLE001 - the training goes on
                _LOG.exception("%s: who hears of its progress has failed", self.config.trainer)

    def end(
        self,
        outcome: Outcome,
        reason: str = "",
        made: Made | None = None,
        artefact: Artefact | None = None,
    ) -> None:
        """It has ended; what is said first counts."""
        if self._result.done():
            return
        result = LearningResult(outcome, reason, self._seconds(), self.config)
        if made is not None:
            told = {name: getattr(made, name) for name in _TOLD}
            result = replace(result, artefact=artefact, **told)
        self._result.set_result(result)

    def _seconds(self) -> float:
        return self._result.get_loop().time() - self._began

    async def _follow(self, inlets: tuple[Any, ...], outlet: Outlet[Progress]) -> None:
        del inlets
        number = 0
        while True:
            lost, items = self._news.after(number, _READ)
            number += lost + len(items)
            outlet.dropped(lost)
            for item in items:
                await outlet.emit(item)
            if items:
                continue
            if self._result.done():
                return
            await self._more()

    async def _more(self) -> None:
        bell = self._news.bell()
        try:
            either: set[asyncio.Future[Any]] = {bell, self._result}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._news.mute(bell)
