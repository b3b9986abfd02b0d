"""Rungs: several ways to answer, the best first."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from rxml.errors import DeadlineError, RefusedError, StreamTimeoutError
from rxml.flow.check import require_callable
from rxml.flow.guarding.standing import deadline, in_time, now, within
from rxml.flow.timing.duration import seconds_of
from rxml.resilience.numbers import require_range

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.flow.timing.duration import Duration
    from rxml.resilience.ladder import Ladder

T_co = TypeVar("T_co", covariant=True)

NOTHING: Final[Any] = object()
"""No default."""

SHARE: Final = 0.75
"""Of the time that is left, what a rung gets that has others below it."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T_co]):
    """An answer, and how it came about.

    Attributes:
        value: the answer.
        rung: which way it came, 0 being the best; the default is the one behind the last.
        name: of the rung.
        reason: why it is not that of rung 0; None if it is.
        inflation: by how much its standard deviation, or half-width, is to be multiplied, >= 1.
    """

    value: T_co
    rung: int
    name: str
    reason: str | None = None
    inflation: float = 1.0

    @property
    def degraded(self) -> bool:
        """Whether it is not the best way's."""
        return self.rung > 0


class Rung:
    """One way to answer.

    Args:
        function: of an element; a plain function or a coroutine function.
        name: as answers show it; None: that of the function.
        within: seconds, or a timedelta, that it may take; None: as long as there is time.
        inflation: by how much answers of it are less certain than those of rung 0, >= 1.

    Raises:
        PipelineError: no function.
        ValueError: a number out of its range.
    """

    __slots__ = ("function", "inflation", "name", "within")

    def __init__(
        self,
        function: Callable[[Any], Any],
        name: str | None = None,
        *,
        within: Duration | None = None,
        inflation: float = 1.0,
    ) -> None:
        require_callable("Rung", function, "answers an element")
        self.function: Callable[[Any], Any] = function
        self.name: str = name or str(getattr(function, "__name__", type(function).__name__))
        self.within: float = inf if within is None else seconds_of(within, "Rung(within)")
        self.inflation: float = require_range("Rung(inflation)", inflation, 1)


class Descent:
    """Answers an element by the first rung that does.

    Args:
        rungs: the best first.
        default: the value when none answers, or `NOTHING`.
        ladder: says where to begin; None: at the first.
    """

    __slots__ = ("_default", "_ladder", "_rungs")

    def __init__(self, rungs: Sequence[Rung], default: Any, ladder: Ladder | None) -> None:
        self._rungs = rungs
        self._default = default
        self._ladder = ladder

    async def __call__(self, item: Any) -> Answer[Any]:
        """The answer; raises what the last rung raised if there is no default."""
        first, began = 0 if self._ladder is None else self._ladder.rung, now()
        try:
            answer = await self._descend(item, first)
        except Exception:
            self._took(began, first)
            raise
        self._took(began, first)
        return answer

    def _took(self, began: float, first: int) -> None:
        """Tell the ladder; a caller that has gone away says nothing about it."""
        if self._ladder is not None:
            ended = now()
            self._ladder.record(ended, ended - began, first)

    async def _descend(self, item: Any, first: int) -> Answer[Any]:
        reason = "overload" if first else None
        failure: Exception = RuntimeError("there is no rung")
        last = len(self._rungs) - 1
        for at in range(first, last + 1):
            rung = self._rungs[at]
            try:
                value = await self._tried(rung, item, spare=at < last or self._has_default)
            except Exception as error:  # noqa: BLE001 - the next rung answers
                reason, failure = why(error), error
            else:
                return Answer(value, at, rung.name, reason, rung.inflation)
        if not self._has_default:
            raise failure
        return Answer(self._default, last + 1, "default", reason)

    @property
    def _has_default(self) -> bool:
        return self._default is not NOTHING

    async def _tried(self, rung: Rung, item: Any, *, spare: bool) -> Any:
        left = in_time()
        value = rung.function(item)
        if not inspect.isawaitable(value):
            return value
        limit = min(rung.within, SHARE * left if spare else inf)
        return await within(value, deadline(), now() + limit)


def why(error: BaseException) -> str:
    """The error in a word, for those who get another answer instead; its own text is none of theirs."""
    if isinstance(error, RefusedError):
        return error.policy
    if isinstance(error, DeadlineError | StreamTimeoutError):
        return "late"
    return f"error: {type(error).__name__}"
