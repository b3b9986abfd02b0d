"""Restarting: what is begun anew each time that it fails, for as long as that is worth it."""

from __future__ import annotations

import asyncio
import logging
from random import Random
from typing import TYPE_CHECKING, Final

from rxml.errors import EscalatedError
from rxml.resilience.intensity import Intensity

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_LOG: Final = logging.getLogger("rxml.service")

LONGEST: Final = 10.0
"""Seconds until what has failed too often is tried again, if nobody is there to whom that could be told."""


class Restarting:
    """Runs something again whenever it fails, after a wait that grows; see `Intensity` for the defaults.

    Args:
        name: of what runs, for the log and errors.
        intensity: says how long to wait, and when it was too often; None: 5 in 30 s.
        random: draws jitter; None: one of its own.

    Attributes:
        failure: why it does not run at the moment, or None.
        restarts: how often it was begun anew.
    """

    __slots__ = ("_intensity", "_name", "_random", "failure", "restarts")

    def __init__(
        self, name: str, intensity: Intensity | None = None, random: Random | None = None
    ) -> None:
        self._name = name
        self._intensity = intensity or Intensity()
        self._random = random or Random()  # noqa: S311 - jitter
        self.failure: Exception | None = None
        self.restarts: int = 0

    async def run(
        self,
        work: Callable[[], Awaitable[None]],
        failed: Callable[[Exception], None],
        *,
        escalates: bool,
    ) -> None:
        """Run it for ever.

        Args:
            work: is not to return: that it did is a failure, too.
            failed: told of each failure before the wait.
            escalates: fail once it has failed too often; else try on, ten seconds later.

        Raises:
            EscalatedError: see `escalates`.
        """
        self.failure = None
        while True:
            error = await self._failure_of(work)
            self.failure = error
            failed(error)
            await asyncio.sleep(self._pause(error, escalates=escalates))
            self.failure = None
            self.restarts += 1

    async def _failure_of(self, work: Callable[[], Awaitable[None]]) -> Exception:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - told, and begun anew
            return error
        return RuntimeError(f"{self._name} has ended by itself")

    def _pause(self, error: Exception, *, escalates: bool) -> float:
        wait = self._intensity.failed(asyncio.get_running_loop().time(), self._random)
        if wait is None and escalates:
            raise EscalatedError(f"{self._name} has failed too often: {error!r}") from error
        pause = LONGEST if wait is None else wait
        _LOG.error("%s has failed; it begins anew in %.3g s", self._name, pause, exc_info=error)
        return pause
