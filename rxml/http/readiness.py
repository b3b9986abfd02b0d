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
        """What each check says now, in the order in which they came; one that fails or takes a second says no."""
        return {name: await _asked(name, check) for name, check in self._checks.items()}

    async def ready(self) -> bool:
        """True if clients may come."""
        return not self.draining and all((await self.state()).values())


async def _asked(name: str, check: Check) -> bool:
    try:
        said = check()
        if inspect.isawaitable(said):
            async with asyncio.timeout(_PATIENCE):
                said = await said
    except Exception:
        logger.exception("the check %r of readiness has failed", name)
        return False
    return said is True
