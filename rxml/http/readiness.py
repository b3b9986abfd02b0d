"""Readiness: whether all that must be there before clients come is there."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Final, TypeAlias

from rxml.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger: Final = logging.getLogger("rxml.http")

Check: TypeAlias = "Callable[[], bool | Awaitable[bool]]"

_PATIENCE: Final = 1.0


class Readiness:
    """Asks those who have said that they want to be asked. Ready is who is not draining and whose checks all say yes.

    Args:
        checks: by name; shared by all servers of an app, each of which drains for itself.

    Attributes:
        draining: nothing new is wanted, though it is still answered.
    """

    def __init__(self, checks: dict[str, Check] | None = None) -> None:
        self._checks = {} if checks is None else checks
        self.draining: bool = False

    def again(self) -> Readiness:
        """The same checks, for another server."""
        return Readiness(self._checks)

    def add(self, check: Check, name: str | None) -> None:
        """Ask this one, too.

        Raises:
            PipelineError: it cannot be called, or its name is taken.
        """
        if not callable(check):
            raise PipelineError(
                f"ready_when wants a function that says True or False, got {check!r}"
            )
        name = name or str(getattr(check, "__name__", type(check).__name__))
        if name in self._checks:
            raise PipelineError(
                f"ready_when({name!r}): there is a check of that name already; name=... tells them apart"
            )
        self._checks[name] = check

    async def state(self) -> dict[str, bool]:
        """What each check says now, in the order in which they came; one that fails or takes a second says no.

        They are asked at the same time: whoever probes waits no longer than a second for all.
        """
        said = await asyncio.gather(*map(_asked, self._checks, self._checks.values()))
        return dict(zip(self._checks, said, strict=True))

    async def ready(self) -> bool:
        """True if clients may come."""
        return not self.draining and all((await self.state()).values())


async def _asked(name: str, check: Check) -> bool:
    limit: asyncio.Timeout | None = None
    try:
        said = check()
        if inspect.isawaitable(said):
            async with asyncio.timeout(_PATIENCE) as limit:
                said = await said
    except Exception as error:
        if isinstance(error, TimeoutError) and limit is not None and limit.expired():
            logger.warning("the check %r of readiness takes longer than %g s", name, _PATIENCE)
            return False
        logger.exception("the check %r of readiness has failed", name)
        return False
    return said is True
