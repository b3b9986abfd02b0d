"""Supervised: one child of a supervision tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias, cast, runtime_checkable

from rxml.errors import PipelineError
from rxml.flow.check import require_callable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

Lasting: TypeAlias = Literal["permanent", "transient", "temporary"]
"""Whether a child is started anew: always; after a failure; never."""

LASTING: Final[tuple[Lasting, ...]] = ("permanent", "transient", "temporary")


@runtime_checkable
class Runs(Protocol):
    """What runs until it has done its work, fails, or is cancelled: a flow, a `Service`, a `SupervisionTree`."""

    def run(self) -> Coroutine[Any, Any, Any]:
        """Run, from the beginning each time."""
        ...


class Supervised:
    """A child: what runs, what it is called, and whether it is started anew.

    Args:
        what: a coroutine function without arguments, a flow (which is run for its effects), or what else has a coroutine
            method `run`, such as a `Service` or another tree. A new call or run is made for each start.
        name: unique in its tree; None: that of the function or class.
        lasting: `permanent`: started anew however it has ended; `transient`: if it has failed; `temporary`: never.
        ready: awaited behind each start, before the next child is started; if it raises, the child has failed.

    Attributes:
        name: as given.
        lasting: as given.
        ready: as given.

    Raises:
        PipelineError: nothing that can run.
        ValueError: another word for `lasting`.
    """

    __slots__ = ("_what", "lasting", "name", "ready")

    def __init__(
        self,
        what: Callable[[], Awaitable[Any]] | Runs,
        *,
        name: str | None = None,
        lasting: Lasting = "permanent",
        ready: Callable[[], Awaitable[Any]] | None = None,
    ) -> None:
        if not isinstance(what, Runs):
            require_callable("Supervised", what, "gives an awaitable, or something with a coroutine method `run`")  # fmt: skip
        if lasting not in LASTING:
            raise ValueError(f"Supervised(lasting=) wants one of {LASTING}, got {lasting!r}")
        if ready is not None:
            require_callable("Supervised(ready=)", ready, "gives an awaitable")
        self._what = what
        self.name: str = name or named(what)
        self.lasting: Lasting = lasting
        self.ready: Callable[[], Awaitable[Any]] | None = ready

    async def run(self) -> None:
        """One run of it.

        Raises:
            PipelineError: a function that gives nothing to wait for.
        """
        what: Any = self._what
        work = what.run() if isinstance(what, Runs) else what()
        if not hasattr(work, "__await__"):
            raise PipelineError(
                f"the child {self.name} gave {type(work).__name__}: a supervised function is a coroutine function"
            )
        await cast("Awaitable[Any]", work)

    def returns(self, failure: Exception | None) -> bool:
        """Whether it is started anew after it has ended so."""
        return self.lasting == "permanent" or (self.lasting == "transient" and failure is not None)


def named(what: object) -> str:
    """What people call it."""
    inner = getattr(what, "func", what)  # of a partial
    return str(getattr(inner, "__name__", type(inner).__name__))
