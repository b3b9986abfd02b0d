"""ModelSupervisor: several models for one question, of which one answers in time."""

from __future__ import annotations

import asyncio
from functools import partial
from math import inf
from random import Random
from typing import TYPE_CHECKING, Any, Final, Self

from rxml.errors import (
    DeadlineError,
    EscalatedError,
    RefusedError,
    StreamClosedError,
    StreamTimeoutError,
)
from rxml.flow.check import PLAIN, permit_function
from rxml.flow.guarding.rungs import NOTHING, Answer, why
from rxml.flow.guarding.standing import deadline, now
from rxml.flow.supervising.news import News, UtcClock
from rxml.flow.timing.duration import seconds_of
from rxml.models.supervising.arm import ArmStatistics
from rxml.models.supervising.asking import Asking, blaming
from rxml.models.supervising.company import Company
from rxml.models.supervising.decision import Decision
from rxml.models.supervising.roster import Roster
from rxml.models.supervising.routing import Routing
from rxml.models.supervising.spare import Spare
from rxml.resilience.breaker import Breaker
from rxml.resilience.ejection import Ejection
from rxml.resilience.retrying import RetryBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping
    from types import TracebackType

    from rxml.flow.flowable import Flowable
    from rxml.flow.timing.duration import Duration
    from rxml.models.signature import Signature
    from rxml.models.supervising.arm import Seat
    from rxml.models.supervising.decision import What


BREAKER: Final = partial(Breaker, slow=None)
"""Of each arm: slow is three times its own p99."""


class ModelSupervisor:
    """Asks one of several arms, watches what becomes of it, and sees to it that there is an answer in time.

    An arm is drawn for each element: of two at random the less busy one, or by weights. One that fails, gives what is no
    answer, or takes too long is left for the next, then for the last answer that was given for the same key, then for the
    default. Each attempt has a part of the time that is left, so that the others still have some: an element whose model
    hangs is answered by another one before its deadline. An arm that takes three times as long as it does as a rule is
    left earlier, within a budget.

    An arm that keeps failing or being slow (`Breaker`), or fails at what others answer (`Ejection`), is taken out, and
    comes back when probes have succeeded. Each decision is an event of `decisions`. Errors for which `blame` says no are
    the element's own: they are raised at once, and count against nobody.

    `async with supervisor:` starts and ends what its models run in; so does a run of `ops.supervise_models(supervisor)`.
    What is known of the arms outlives both.

    Args:
        arms: by name: an `Arm`, or what makes one: a model, a flow of editions, an operator, a `Service`, a coroutine function.
        within: seconds (or a timedelta), > 0 and finite, in which there is an answer, or by the element's deadline if that
            is earlier.
        weights: of arms by name; those that are left out have none, and are asked when no other can be. None: by load.
        last: gives the key of an element whose last answer is worth something when no arm has one; None: none is.
        keys: answers that are remembered for that, >= 1.
        default: the answer when there is no other.
        breaker: makes one for each arm.
        ejection: makes one for the names of the arms.
        blame: which errors of arms are their fault: a class, a tuple of them, or a predicate; None: all but SchemaError. No
            answer in time, one that is not accepted, and a refusal are never the element's own.
        impatience: what leaving arms early may cost; None: a fifth of the calls, and ten a second.
        name: of the supervisor.
        random: draws arms; None: one of its own.
        keep: decisions that are remembered.

    Attributes:
        name: as given.

    Raises:
        PipelineError: no arms, or something that cannot answer.
        ValueError: a number out of its range.

    Example:
        >>> from rxml.models import ModelSupervisor
        >>> from rxml.testing.virtual_time import run
        >>> async def broken(x):
        ...     raise OSError
        >>> async def works(x):
        ...     return 2 * x
        >>> async def main():
        ...     supervisor = ModelSupervisor({"new": broken, "old": works}, weights={"new": 1})
        ...     async with supervisor:
        ...         return await supervisor.ask(21)
        >>> run(main())
        Answer(value=42, rung=1, name='old', reason='error: OSError', inflation=1.0)
    """

    def __init__(  # noqa: PLR0913 - each is a thing of its own that one may say of a supervisor
        self,
        arms: Mapping[str, Any],
        *,
        within: Duration = 5.0,
        weights: Mapping[str, float] | None = None,
        last: Callable[[Any], Hashable] | None = None,
        keys: int = 10_000,
        default: Any = NOTHING,
        breaker: Callable[[], Breaker] = BREAKER,
        ejection: Callable[[Iterable[str]], Ejection[str]] = Ejection,
        blame: Any = None,
        impatience: RetryBudget | None = None,
        name: str = "models",
        random: Random | None = None,
        keep: int = 1024,
    ) -> None:
        permit_function("ModelSupervisor(last=)", last, "gives the key of an element", PLAIN)
        self.name: str = name
        self._within = _time("ModelSupervisor(within)", within)
        self._company = Company(arms)
        self._seats = self._company.seats
        self._routing = Routing(tuple(self._seats), weights, random or Random())  # noqa: S311 - spreads load
        self._spare = Spare(last, keys, default, len(self._seats), self._decided)
        self._blame = blaming("ModelSupervisor(blame)", blame)
        self._budget = impatience or RetryBudget()
        self._news: News[Decision] = News(keep)
        self._clock = UtcClock()
        self._breaker, self._ejection = breaker, ejection
        self._asking = Asking(self._seats, self._made(), self._routing, self._budget, self._blame)
        self._none_left = asyncio.Event()

    @property
    def decisions(self) -> Flowable[Decision]:
        """What is remembered of its decisions, then each one; it ends when its run is drained."""
        return self._news.flow(f"decisions({self.name})")

    def recent(self) -> tuple[Decision, ...]:
        """What is remembered of its decisions, the oldest first."""
        return self._news.recent()

    @property
    def seats(self) -> tuple[Seat, ...]:
        """The arms, in order."""
        return tuple(self._seats.values())

    @property
    def traits(self) -> tuple[Signature, ...]:
        """What the models want and give, if all arms are models and agree in it."""
        known = [seat.signature for seat in self._seats.values()]
        first = known[0]
        return () if first is None or any(each != first for each in known) else (first,)

    def statistics(self) -> dict[str, ArmStatistics]:
        """What is known of each arm now; to be called on a running loop."""
        self._asking.roster.available(now())
        shares = self._routing.shares(now())
        return {
            name: ArmStatistics(
                self._asking.roster.standing(name).value,
                shares[name],
                seat.asked,
                seat.answered,
                seat.p95,
            )
            for name, seat in self._seats.items()
        }

    @property
    def ready(self) -> bool:
        """Whether some arm can be asked: its model is loaded and warm, if it has one."""
        return self._company.ready

    def enter(self) -> None:
        """Start what the arms run in, on the running loop, unless that was done; `leave` as often as this."""
        self._company.enter()

    async def leave(self) -> None:
        """End what the arms run in, if nobody else uses it; who still waits is told."""
        await self._company.leave()

    async def __aenter__(self) -> Self:
        self.enter()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.leave()

    async def run(self) -> None:
        """Keep the arms running until this is cancelled, as the child of a supervision tree.

        Raises:
            EscalatedError: no arm may be asked; when it is started anew, all are as new.
        """
        self._none_left.clear()
        self._asking.roster = self._made()
        async with self:
            await self._none_left.wait()
            raise EscalatedError(f"{self.name}: no arm may be asked any more")

    async def ask(self, item: Any, *, within: Duration | None = None) -> Answer[Any]:
        """The answer to an element, and which arm or rung it is of.

        `rung` is 0 for the arm that was drawn first, 1 for the next one, …; the number of arms for the last known answer,
        and one more for the default. `reason` is why it is not 0, as for `ops.fallback`.

        Args:
            item: the element.
            within: seconds, or a timedelta; the supervisor's own count too.

        Raises:
            StreamClosedError: nobody has started what its models run in.
            DeadlineError: there is no answer in time.
            RefusedError: no arm may be asked, and there is no other answer.
            Exception: what the last arm raised, if there is no other answer; or what is the element's own fault.
        """
        seconds = (
            self._within if within is None else min(self._within, _time("ask(within)", within))
        )
        if self._company.away:
            raise StreamClosedError(f"{self.name} is not started: use `async with supervisor:`")
        due = min(deadline(), now() + seconds)
        failures: dict[str, Exception] = {}
        self._budget.deposit(now())
        while (left := due - now()) > 0 and (drawn := self._asking.drawn(failures)) is not None:
            (seat, others), spare = drawn, self._spare.has(item)
            try:
                value = await self._asking.asked(seat, item, left, others=others, spare=spare)
            except Exception as error:
                if not self._blame(error):
                    raise
                failures[seat.name] = error
            else:
                return self._answered(seat, item, value, failures)
        return self._without(item, failures, late=left <= 0)

    def _answered(
        self, seat: Seat, item: Any, value: Any, failures: Mapping[str, Exception]
    ) -> Answer[Any]:
        self._asking.outdone(failures)
        self._spare.keep(item, value, seat.name)
        reason = why(list(failures.values())[-1]) if failures else None
        return Answer(value, len(failures), seat.name, reason, seat.arm.inflation)

    def _without(self, item: Any, failures: Mapping[str, Exception], *, late: bool) -> Answer[Any]:
        """The answer when no arm has one."""
        errors = list(failures.values())
        reason = why(errors[-1]) if errors else "late" if late else "no arm"
        answer = self._spare.answer(item, reason)
        if answer is None:
            raise self._none(errors, late=late)
        return answer

    def _none(self, errors: list[Exception], *, late: bool) -> Exception:
        if late or (errors and isinstance(errors[-1], StreamTimeoutError)):
            asked = f"{len(errors)} of {len(self._seats)} were asked"
            return DeadlineError(f"no arm of {self.name} has answered in time: {asked}")
        if errors:
            return errors[-1]
        wait = self._asking.roster.retry_after(now())
        return RefusedError("supervisor", f"no arm of {self.name} may be asked", wait)

    def _made(self) -> Roster:
        names = tuple(self._seats)
        return Roster(names, self._breaker, self._ejection(names), self._decided)

    def _decided(self, what: What, arm: str, reason: str) -> None:
        if what == "escalated":
            self._none_left.set()
        self._news.tell(Decision(self._clock.now(), self.name, what, arm, reason))


def _time(name: str, given: Duration) -> float:
    seconds = seconds_of(given, name)
    if not 0 < seconds < inf:
        raise ValueError(f"{name} wants seconds > 0 and finite, got {given!r}")
    return seconds
