"""Trainers that do what a test says, under virtual time, in no process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from rxml.learning.facade.frames import Failed, Made, Told
from rxml.models.artefacts import artefact_of, linear

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from rxml.batch import Batch
    from rxml.learning.facade import LearningConfig
    from rxml.learning.facade.frames import Answer
    from rxml.models.artefacts import Artefact

ARTEFACT = artefact_of(linear({"x": 2.0}))


def made(rmse: float = 1.0, *, sure: float | None = 0.1) -> Made:
    """A model of that error, give or take."""
    intervals = {} if sure is None else {"rmse": (rmse - sure, rmse + sure)}
    known = (ARTEFACT.format, ARTEFACT.recipe, ARTEFACT.digest)
    return Made(*known, {"rmse": rmse}, intervals, None, "", "")


class Scripted:
    """A `Launch`: each training waits, tells, and ends as its turn in the script says.

    Args:
        script: for each training, seconds to wait or what is said, in order; the last one is for all that follow.

    Attributes:
        begun: the trainings, with their rows.
        open: how many of them are under way now.
        most: how many ever were, at once.
    """

    def __init__(self, *script: Sequence[float | Answer | Exception]) -> None:
        self._script = script
        self.begun: list[tuple[LearningConfig, Batch | None]] = []
        self.open = 0
        self.most = 0

    @asynccontextmanager
    async def __call__(self, config: LearningConfig, data: Batch | None) -> AsyncGenerator[_Actor]:
        said = self._script[min(len(self.begun), len(self._script) - 1)]
        self.begun.append((config, data))
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            yield _Actor(list(said))
        finally:
            await asyncio.sleep(0)
            self.open -= 1


class _Actor:
    def __init__(self, said: list[float | Answer | Exception]) -> None:
        self._said = said

    async def told(self) -> Answer:
        while not isinstance(said := self._said.pop(0), Told | Made | Failed):
            if isinstance(said, Exception):
                raise said
            await asyncio.sleep(said)
        return said

    async def artefact(self, made: Made) -> Artefact:
        return ARTEFACT
