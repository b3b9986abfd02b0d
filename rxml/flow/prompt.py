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

    def answer(self, element: Any, ticket: Ticket[Any], asked: float) -> bool:
        """Tell who asked, if that can be done at once; nothing may be on its way before.

        Args:
            element: that is asked.
            ticket: of the one who asks.
            asked: when, by the loop's clock.

        Returns:
            False: nobody was told anything.
        """
        answer = None if self._stage is None else self._stage.prompt(element)
        if answer is None:
            return False
        within = ticket.within
        if within is not None and asyncio.get_running_loop().time() - asked > within:
            ticket.refuse(too_late(within))
        else:
            ticket.answer(answer)
        return True


def too_late(within: float | None) -> DeadlineError:
    """What is told when the time has passed in which an answer was wanted."""
    return DeadlineError(f"no answer within {within:g} s")
