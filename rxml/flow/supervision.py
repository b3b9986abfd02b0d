"""What happens when processing one element fails: the policy, and where such elements go."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from rxml.flow.context import Outcome, drop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.flow.context import Context


class Directive(Enum):
    """STOP fails the stream; RESUME leaves the element out; RESTART also resets the stage's state."""

    STOP = "stop"
    RESUME = "resume"
    RESTART = "restart"


class Fatal(Exception):  # noqa: N818 - says what an error is
    """Raised by a kernel, it takes an error past the supervisor: no element is to blame, and leaving one out mends nothing.

    Args:
        error: fails the stream.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error: Exception = error


class Unusable(Exception):  # noqa: N818 - says what elements are
    """Raised by a `Chunkwise` kernel that is done with what it was given, all but these elements; it is not asked again.

    The supervisor decides about each of them. They need not be of what was given last: one that was taken in before, such as
    a label that waited for others, may turn out to be of no use now.

    Args:
        elements: each with what is wrong with it, one at least.
        made: the results for all others.
        harmless: the stream goes on, whatever the supervisor says of it; then they are logged and count as dropped.
    """

    def __init__(
        self,
        elements: Sequence[tuple[Any, Exception]],
        made: Sequence[Any] = (),
        *,
        harmless: bool = False,
    ) -> None:
        super().__init__(elements)
        self.elements: Sequence[tuple[Any, Exception]] = elements
        self.made: Sequence[Any] = made
        self.harmless: bool = harmless


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An element that could not be processed.

    Attributes:
        element: what the failing stage was given.
        error: what it raised.
        stage: the name of that stage.
        context: what travelled beside the element, if anything did.
    """

    element: Any
    error: Exception
    stage: str
    context: Context | None = None


def _stop(_: Exception) -> Directive:
    return Directive.STOP


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Decides what an error does to the stream, and takes the elements that were left out.

    Attributes:
        decide: about an error.
        dead_letters: takes what was left out; None: nobody does.
        answering: they are nothing but told to who asked, so that what nobody has asked for comes to nobody.
    """

    decide: Callable[[Exception], Directive] = _stop
    dead_letters: Callable[[DeadLetter], object] | None = None
    answering: bool = False

    def handle(
        self, error: Exception, letters: Sequence[DeadLetter]
    ) -> tuple[Directive, Exception]:
        """Decide about an error, and bury its letters; if the stream stops, their elements end as dropped.

        Returns:
            What follows, and the error that stops the stream if that does. An error of the decider or of the dead
            letters stops it in place of the first, which is its context.
        """
        unburied = deque(letters)
        try:
            directive = self.decide(error)
            while unburied and directive is not Directive.STOP:
                self.bury(unburied[0])
                unburied.popleft()
        except Exception as another:  # noqa: BLE001 - it stops the stream
            directive, error = Directive.STOP, another
        drop(letter.context for letter in unburied)
        return directive, error

    def bury(self, letter: DeadLetter) -> None:
        """Hand a left-out element to the dead letters, and settle its context once they have taken it."""
        if self.dead_letters is not None:
            self.dead_letters(letter)
        if letter.context is not None:
            letter.context.settled(Outcome.DEAD_LETTERED)


STOP = Supervisor()
"""The default: the first error ends the stream."""


PREFIX = "in stage "


def annotate(error: Exception, where: str) -> None:
    """Note once on the error which stage raised it and where that stage was built."""
    if not any(note.startswith(PREFIX) for note in getattr(error, "__notes__", ())):
        error.add_note(PREFIX + where)


def noted(error: Exception, where: str) -> Exception:
    """The error, annotated; for one that would be taken for the end of a loop, a RuntimeError that it is the cause of.

    A coroutine cannot raise StopIteration (PEP 479), and `async for` takes StopAsyncIteration for the end of the flow.
    """
    if isinstance(error, StopIteration | StopAsyncIteration):
        replaced = RuntimeError(f"a function raised {type(error).__name__}")
        replaced.__cause__ = error
        error = replaced
    annotate(error, where)
    return error
