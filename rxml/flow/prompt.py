"""Prompt: an element that overtakes nothing may be answered where it is asked, without a turn of the event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from rxml.errors import DeadlineError

if TYPE_CHECKING:
    from rxml.flow.asked import Ticket
    from rxml.flow.node import Node


@runtime_checkable
class Prompt(Protocol):
    """A stage that may answer an element at once, while nothing is on its way to it."""

    node: Node

    def prompt(self, element: Any) -> Any:
        """The answer; None if the element is to come in like any other, such as one that would fail."""
        ...


class Prompts:
    """Has elements answered by the stage that is right behind where they come in, if it is the only one.

    Args:
        source: where they come in.
    """

    def __init__(self, source: Node) -> None:
        self._source = source
        self._stage: Prompt | None = None

    def begin(self, head: object) -> None:
        """A run has begun, with that stage at its end."""
        direct = isinstance(head, Prompt) and head.node.sources[0] is self._source
        self._stage = head if isinstance(head, Prompt) and direct else None

    def end(self) -> None:
        """It has ended."""
        self._stage = None

    def tell(self, element: Any, ticket: Ticket[Any], asked: float) -> bool:
        """Tell who asked, if that can be done at once; False: nobody was told anything."""
        answer = self.answer(element, ticket.within, asked)
        if isinstance(answer, DeadlineError):
            ticket.refuse(answer)
        elif answer is not None:
            ticket.answer(answer)
        return answer is not None

    def answer(self, element: Any, within: float | None, asked: float) -> Any:
        """What is told who asked, if that can be said at once; nothing may be on its way before.

        Args:
            element: that is asked.
            within: seconds in which the answer is wanted; None: whenever.
            asked: when, by the loop's clock.

        Returns:
            The answer, or the DeadlineError that stands for one that came too late; None: the element is to come in.
        """
        stage = self._stage
        answer = None if stage is None else stage.prompt(element)
        if answer is None or within is None:
            return answer
        late = asyncio.get_running_loop().time() - asked > within
        return too_late(within) if late else answer


def expire(ticket: Ticket[Any]) -> None:
    """The time has passed in which it wanted an answer."""
    ticket.refuse(too_late(ticket.within))


def too_late(within: float | None) -> DeadlineError:
    """What is told when the time has passed in which an answer was wanted."""
    return DeadlineError(f"no answer within {within:g} s")
