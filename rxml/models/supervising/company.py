"""Company: the arms at work, from the first who uses them to the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.flow.scope import in_turn
from rxml.models.supervising.arm import Seat, seats_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class Company:
    """Starts and ends the services that arms run in; counts who uses them.

    Args:
        arms: by name; see `ModelSupervisor`.

    Attributes:
        seats: by name.
    """

    __slots__ = ("_users", "seats")

    def __init__(self, arms: Mapping[str, Any]) -> None:
        self.seats: dict[str, Seat] = seats_of(arms)
        self._users = 0

    @property
    def ready(self) -> bool:
        """Whether some arm can be asked."""
        return not self.away and any(seat.ready for seat in self.seats.values())

    @property
    def away(self) -> bool:
        """Whether nobody has started what they run in."""
        return self._users == 0 and any(seat.service is not None for seat in self.seats.values())

    def enter(self) -> None:
        """One more uses them."""
        self._users += 1
        if self._users == 1:
            for seat in self.seats.values():
                if seat.service is not None:
                    seat.service.start()

    async def leave(self) -> None:
        """One uses them no more; who still waits for an answer is told."""
        self._users -= 1
        if self._users == 0:
            services = [seat.service for seat in self.seats.values() if seat.service is not None]
            await in_turn([each.aclose for each in services], _raised)


def _raised(error: Exception) -> None:
    raise error
