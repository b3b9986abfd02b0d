"""Panel: several models that are asked at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from rxml.errors import QuorumError
from rxml.flow.guarding.rungs import why
from rxml.flow.guarding.standing import in_time, now
from rxml.flow.scope import Scope, stray
from rxml.flow.stragglers import dismissed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rxml.flow.guarding.standing import Call

T_co = TypeVar("T_co", covariant=True)

SHARE: Final = 0.95
"""Of the time that is left until the deadline: the rest is for the answer's way back."""


@dataclass(frozen=True, slots=True)
class Quorum(Generic[T_co]):
    """What those models said that answered in time.

    Attributes:
        answers: by the model's name, in the order of the models.
        missing: why the others have not: `late`, a policy that refused, or `error: ` and its class.
    """

    answers: Mapping[str, T_co]
    missing: Mapping[str, str]

    @property
    def complete(self) -> bool:
        """Whether all have answered."""
        return not self.missing


class Panel:
    """Asks all models about an element.

    Args:
        models: by name.
        need: how many must answer.
        seconds: that they have.
        combine: makes the answer of a Quorum; None: the Quorum is it.
    """

    __slots__ = ("_combine", "_models", "_need", "_seconds")

    def __init__(
        self,
        models: Mapping[str, Call],
        need: int,
        seconds: float,
        combine: Callable[[Quorum[Any]], Any] | None,
    ) -> None:
        self._models = models
        self._need = need
        self._seconds = seconds
        self._combine = combine

    async def __call__(self, item: Any) -> Any:
        """The answers of those that have replied in time.

        Raises:
            QuorumError: they are too few.
        """
        until = now() + min(self._seconds, SHARE * in_time())
        scope = Scope()
        tasks = {
            name: scope.spawn(_asked(call, item), name=f"model {name}")
            for name, call in self._models.items()
        }
        try:
            missing = await self._gather(tasks, until)
        finally:
            await dismissed(tasks.values())
        answers = {name: task.result() for name, task in tasks.items() if name not in missing}
        return self._told(Quorum(answers, missing))

    async def _gather(self, tasks: dict[str, asyncio.Task[Any]], until: float) -> dict[str, str]:
        """Wait for all, as long as enough can still answer; returns who has not, and why."""
        waiting = set(tasks.values())
        while waiting and now() < until and len(_failed(tasks)) <= len(tasks) - self._need:
            _, waiting = await asyncio.wait(
                waiting, timeout=until - now(), return_when=asyncio.FIRST_COMPLETED
            )
        late = {name: "late" for name, task in tasks.items() if not task.done()}
        return late | _failed(tasks)

    def _told(self, quorum: Quorum[Any]) -> Any:
        if len(quorum.answers) < self._need:
            raise QuorumError(
                f"{len(quorum.answers)} of {len(self._models)} models have answered, {self._need} are needed; "
                + ", ".join(f"{name}: {reason}" for name, reason in quorum.missing.items())
            )
        return quorum if self._combine is None else self._combine(quorum)


async def _asked(call: Call, item: Any) -> Any:
    return await call(item)


def _failed(tasks: dict[str, asyncio.Task[Any]]) -> dict[str, str]:
    """Of those that have ended without an answer, why."""
    reasons: dict[str, str] = {}
    for name, task in tasks.items():
        if task.done() and task.cancelled():
            reasons[name] = why(stray(asyncio.CancelledError()))
        elif task.done() and (error := task.exception()) is not None:
            reasons[name] = why(error)
    return reasons
