"""Arm: one model of several that answer, with what waits for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from rxml.models.scoring.dispatcher import Dispatcher
from rxml.models.scoring.shift import Shift
from rxml.models.scoring.waiting import Ask, Waiting

if TYPE_CHECKING:
    from rxml.flow.context import Context
    from rxml.flow.node import Env, Node
    from rxml.models.scoring.crew import Crew
    from rxml.models.scoring.settings import Settings
    from rxml.models.signature import Signature


class Sent(Ask):
    """An element on its way to one of several arms.

    Attributes:
        key: its id.
        propensity: the probability with which it was given to its arm.
        fell: rung and reason, once it is another arm that is to answer.
        told: what came of it counts no more.
    """

    __slots__ = ("fell", "key", "propensity", "told")
    key: Any

    def __init__(
        self, item: Any, context: Context | None, rows: int, arrived: float, weight: int
    ) -> None:
        super().__init__(item, context, rows, arrived, weight)
        self.propensity: float = 1.0
        self.fell: tuple[str, str] | None = None
        self.told: bool = False


class Hall(Protocol):
    """Told how each element ends that an arm was given."""

    def answered(self, arm: Arm, asks: list[Any], answers: list[Any]) -> None:
        """These were scored; what stands for one may be the error that it failed with."""
        ...

    def failed(self, arm: Arm, ask: Any, error: Exception) -> None:
        """This one cannot be scored."""
        ...

    def dropped(self, arm: Arm, ask: Any) -> None:
        """This one was too late, or nobody waits for it any more."""
        ...

    def part(self, ask: Ask) -> list[Ask]:
        """See `Desk.part`."""
        ...

    def split(self, slab: Ask, rows: int) -> Ask:
        """See `Desk.split`."""
        ...


class Arm:
    """The desk of one model: passes on what becomes of its elements, with its own name.

    Args:
        name: of the arm.
        number: of the arm.
        hall: is told.
        env: of the stage.
        node: the stage.
        settings: of scoring.

    Attributes:
        name: as given.
        number: as given.
        waiting: elements for it.
        dispatcher: gives its workers what waits.
        shift: which version of it is at work.
    """

    def __init__(
        self, name: str, number: int, hall: Hall, env: Env, node: Node, *, settings: Settings
    ) -> None:
        self.name: str = name
        self.number: int = number
        self.waiting: Waiting = Waiting(settings.patience)
        later = asyncio.get_running_loop().call_soon
        self.dispatcher: Dispatcher = Dispatcher(self.waiting, self, env.clock, later)
        self.shift: Shift = Shift(env, node, settings, self.dispatcher)
        self._hall = hall

    @property
    def crew(self) -> Crew | None:
        """The version at work; None before the first one is there."""
        return self.shift.crew

    def answer(self, asks: list[Ask], answers: list[Any]) -> None:
        """See `Desk.answer`."""
        self._hall.answered(self, asks, answers)

    def fail(self, ask: Ask, error: Exception) -> None:
        """See `Desk.fail`."""
        self._hall.failed(self, ask, error)

    def drop(self, ask: Ask) -> None:
        """See `Desk.drop`."""
        self._hall.dropped(self, ask)

    def part(self, ask: Ask) -> list[Ask]:
        """See `Desk.part`."""
        return self._hall.part(ask)

    def split(self, slab: Ask, rows: int) -> Ask:
        """See `Desk.split`."""
        return self._hall.split(slab, rows)


def unlike(signature: Signature, other: Signature) -> str | None:
    """Why another model cannot answer in the place of one, or None."""
    refusal = other.refusal(signature.inputs)
    if refusal is None and other.outputs != signature.outputs:
        refusal = f"it gives {other.outputs}, the first one {signature.outputs}"
    return refusal
