"""Asking: which arm is asked, for how long, and what is made of how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rxml.errors import (
    DeadlineError,
    RefusedError,
    SchemaError,
    StreamTimeoutError,
    UnacceptedError,
)
from rxml.flow.check import error_filter
from rxml.flow.guarding.breaking import refusal
from rxml.flow.guarding.standing import now
from rxml.models.supervising.attempt import attempted, part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rxml.models.supervising.arm import Seat
    from rxml.models.supervising.roster import Roster
    from rxml.models.supervising.routing import Routing
    from rxml.resilience.retrying import RetryBudget

_FOUND: Final = (StreamTimeoutError, DeadlineError, UnacceptedError)
"""What is never the element's own fault: no answer in time, and none that is accepted."""

STILL: Final = 0.1
"""Seconds for which the loop may be held without anybody being thought to have slept."""


class _Call(NamedTuple):
    """A call under way. The roster that has permitted it may have been exchanged for a new one when it ends."""

    seat: Seat
    roster: Roster
    permit: int
    given: float

    def asleep(self, took: float) -> bool:
        """Whether it took so much longer than it was given that this process, and no arm, must have stood still."""
        return took > 2 * self.given + STILL

    def ignored(self) -> None:
        self.roster.ignored(self.seat.name, self.permit, now())

    def failed(self, took: float) -> None:
        self.roster.failed(self.seat.name, self.permit, now(), took)

    def succeeded(self, took: float) -> None:
        self.seat.answered += 1
        if self.asleep(took):
            self.ignored()
        else:
            self.seat.took(took)
            self.roster.succeeded(self.seat.name, self.permit, now(), took)


class Asking:
    """Draws arms and asks them.

    Args:
        seats: the arms by name.
        roster: which of them may be asked.
        routing: draws one.
        budget: pays for leaving one early.
        blame: whether an error is an arm's fault.

    Attributes:
        roster: as given.
    """

    __slots__ = ("_blame", "_budget", "_routing", "_seats", "roster")

    def __init__(
        self,
        seats: Mapping[str, Seat],
        roster: Roster,
        routing: Routing,
        budget: RetryBudget,
        blame: Callable[[Exception], object],
    ) -> None:
        self._seats = seats
        self.roster: Roster = roster
        self._routing = routing
        self._budget = budget
        self._blame = blame

    def drawn(self, failures: Mapping[str, Exception]) -> tuple[Seat, bool] | None:
        """The arm that is asked next, behind those that have failed, and whether there are others; None: there is none."""
        moment = now()
        free = [name for name in self.roster.available(moment) if name not in failures]
        if not free:
            return None
        free = [name for name in free if self._seats[name].ready] or free
        name = self._routing.draw(free)
        if not failures:
            self._routing.first(name, moment)
        return self._seats[name], len(free) > 1

    async def asked(self, seat: Seat, item: Any, left: float, *, others: bool, spare: bool) -> Any:
        """What the arm gives in its part of the time that is left; its roster and load are told.

        Args:
            seat: the arm.
            item: the element.
            left: seconds, > 0.
            others: whether further arms may be asked.
            spare: whether there is an answer without arms.

        Raises:
            RefusedError: it must not be asked.
            Exception: see `attempted`.
        """
        name, began, roster = seat.name, now(), self.roster
        permit = roster.admit(name, began)
        if permit is None:
            raise RefusedError("breaker", f"{name} is not to be asked")
        seconds = part(left, seat.p95, others=others, spare=spare)
        call = _Call(seat, roster, permit, seconds)
        seat.asked += 1
        self._routing.load.began(name)
        try:
            value = await attempted(seat, item, seconds, self._budget if others else None)
        except Exception as error:
            self._failed(call, now() - began, error)
            raise
        except BaseException:
            call.ignored()
            raise
        finally:
            self._routing.load.ended(name)
        call.succeeded(now() - began)
        return value

    def _failed(self, call: _Call, took: float, error: Exception) -> None:
        """Blame the arm, unless the element, its deadline, or the load is to blame."""
        late = isinstance(error, StreamTimeoutError | DeadlineError)
        hasty = late and took < self._usual(call.seat)
        if hasty or call.asleep(took) or refusal(error) or not self._blame(error):
            call.ignored()
        else:
            call.failed(took)

    def _usual(self, seat: Seat) -> float:
        """Seconds that an answer takes as a rule: of this arm, or of the quickest if that is unknown."""
        known = [each.p95 for each in self._seats.values() if each.p95 is not None]
        return seat.p95 or min(known, default=0.0)

    def outdone(self, failures: Mapping[str, Exception]) -> None:
        """An arm has answered what these have failed at."""
        for name, error in failures.items():
            if not refusal(error):
                self.roster.outdone(name, now())


def blaming(name: str, given: Any) -> Callable[[Exception], object]:
    """Which errors are not the element's own: those that were given, and whatever the supervisor finds itself.

    Args:
        name: of the argument.
        given: a class, a tuple of them, or a predicate; None: all but SchemaError.
    """
    blamed = error_filter(name, _blamed if given is None else given)
    return lambda error: isinstance(error, _FOUND) or refusal(error) or blamed(error)


def _blamed(error: Exception) -> bool:
    return not isinstance(error, SchemaError)
