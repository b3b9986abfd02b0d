"""Race: several models on their way to an answer for one element; the first that is sure enough wins."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from typing_extensions import TypeIs

from rxml.errors import DeadlineError, SchemaError
from rxml.flow.guarding.rungs import why
from rxml.flow.guarding.standing import now
from rxml.flow.scope import Scope, stray
from rxml.flow.stragglers import dismissed
from rxml.learning.routing.sureness import doubts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.learning.routing.sureness import When
    from rxml.models.supervising.arm import Seat

UNSURE: Final = "unsure"
"""The reason of an answer that is not sure enough, though all others are there."""


class Candidate(NamedTuple):
    """An answer.

    Attributes:
        doubt: how unsure it is; -infinity if it is sure enough.
        name: of the model.
        row: the element with it.
    """

    doubt: float
    name: str
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bar:
    """Which answers are sure enough.

    Attributes:
        when: how unsure they are; see `doubts`.
        above: numbers above this are too unsure; None: booleans decide.
        into: the column of an answer that is no mapping.
    """

    when: When
    above: float | None
    into: str

    def candidate(self, item: Mapping[str, Any], name: str, answer: Any) -> Candidate:
        """The answer, and how unsure it is.

        Raises:
            SchemaError: that it does not say.
        """
        row = {**item, "reason": "", **self.columns(answer)}
        found = doubts([row], self.when)
        doubt = float(found[0])
        if found.dtype == bool:
            return Candidate(doubt or -inf, name, row)
        if self.above is None:
            raise SchemaError("hedge: `when` gives numbers: say with above= which are too unsure")
        return Candidate(doubt if doubt > self.above else -inf, name, row)

    def columns(self, answer: Any) -> dict[str, Any]:
        """An answer as columns."""
        return {**answer} if _is_mapping(answer) else {self.into: answer}


class Race:
    """The models on their way to an answer for one element.

    Args:
        seats: the models, in the order in which they are asked.
        bar: which answers are sure enough.
        item: the element.
        until: when there is an answer at the latest, by the loop's clock.
        stagger: seconds after which the next one is asked.
    """

    def __init__(
        self, seats: Sequence[Seat], bar: Bar, item: Mapping[str, Any], until: float, stagger: float
    ) -> None:
        self._bar = bar
        self._item = item
        self._until = until
        self._stagger = stagger
        self._scope = Scope()
        self._ahead = deque(seats)
        self._running: dict[asyncio.Task[Any], str] = {}
        self._next = -inf
        self.best: Candidate | None = None
        self.failures: dict[str, Exception] = {}

    @property
    def _sure(self) -> bool:
        return self.best is not None and self.best.doubt == -inf

    @property
    def reason(self) -> str:
        """Why there is no better answer; "" if that there is will do."""
        if self._sure:
            return ""
        if self._running or self._ahead:
            return "late"
        return why([*self.failures.values()][-1]) if self.failures else UNSURE

    async def run(self) -> None:
        """Until an answer is sure enough, none can come, or there is no time."""
        try:
            while not self._sure and now() < self._until and (self._running or self._ahead):
                if self._ahead and (not self._running or now() >= self._next):
                    self._ask(self._ahead.popleft())
                else:
                    await self._wait()
        finally:
            await dismissed(self._running)

    def _ask(self, seat: Seat) -> None:
        task = self._scope.spawn(_asked(seat, self._item, self._until), name=f"hedge {seat.name}")
        self._running[task] = seat.name
        self._next = now() + self._stagger

    async def _wait(self) -> None:
        moment = min(self._until, self._next) if self._ahead else self._until
        await asyncio.wait(
            self._running, timeout=moment - now(), return_when=asyncio.FIRST_COMPLETED
        )
        for task in [each for each in self._running if each.done()]:
            self._judge(task, self._running.pop(task))

    def _judge(self, task: asyncio.Task[Any], name: str) -> None:
        """An answer that is as unsure as one before is no better; a model that fails is asleep."""
        try:
            found = self._bar.candidate(self._item, name, task.result())
        except asyncio.CancelledError as error:
            self.failures[name] = stray(error)
        except Exception as error:  # noqa: BLE001 - the others may answer
            self.failures[name] = error
        else:
            if self.best is None or found.doubt < self.best.doubt:
                self.best = found

    def failure(self) -> Exception:
        """Why there is no answer at all."""
        if not self._running and not self._ahead:
            return next(iter(self.failures.values()))
        late = dict.fromkeys(
            [*self._running.values(), *(seat.name for seat in self._ahead)], "late"
        )
        told = late | {name: why(error) for name, error in self.failures.items()}
        text = ", ".join(f"{name}: {reason}" for name, reason in told.items())
        return DeadlineError(f"hedge: no model has answered in time; {text}")


def _is_mapping(answer: object) -> TypeIs[Mapping[str, Any]]:
    return isinstance(answer, Mapping)


async def _asked(seat: Seat, item: Any, until: float) -> Any:
    value = await seat.ask(item, until)
    seat.require(value)
    return value
