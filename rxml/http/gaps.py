"""Gaps: what a client does when the other end has lost elements."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from typing_extensions import override

from rxml.errors import GapError, PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.body import Outlet

logger: Final = logging.getLogger("rxml.http")


@dataclass(frozen=True, slots=True)
class Gap:
    """Elements that will not come.

    Attributes:
        url: of the stream.
        count: how many; None: some or none, nobody knows.
        reason: why, in words.
    """

    url: str
    count: int | None
    reason: str

    @override
    def __str__(self) -> str:
        lost = "elements may be lost" if self.count is None else f"{self.count} elements are lost"
        return f"{self.url}: {lost}: {self.reason}"


OnGap: TypeAlias = "Callable[[Gap], object] | Literal['log', 'error']"
"""What follows a gap: it is logged, or the flow fails with `GapError`, or a function is called. It is counted in any case."""


def on_gap(given: OnGap) -> OnGap:
    """Let pass what is one of these.

    Raises:
        PipelineError: it is none.
    """
    if given in ("log", "error") or callable(given):
        return given
    raise PipelineError(f"on_gap must be 'log', 'error' or a function, got {given!r}")


def told(gap: Gap, on: OnGap, outlet: Outlet[object]) -> None:
    """Count a gap, and do what is to be done.

    Raises:
        GapError: that is it.
        Exception: what the function raises.
    """
    outlet.dropped(gap.count or 0)
    if on == "error":
        raise GapError(str(gap), gap.count)
    if on == "log":
        logger.warning("%s", gap)
    elif callable(on):
        on(gap)
