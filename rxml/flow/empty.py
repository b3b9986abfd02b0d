"""Errors that are reactivex's as well, so that code which catches those goes on working."""

from __future__ import annotations

from reactivex.internal.exceptions import (
    ArgumentOutOfRangeException,
    SequenceContainsNoElementsError,
)

from rxml.errors import EmptyError


class NoElementsError(EmptyError, SequenceContainsNoElementsError):
    """A value was asked of a stream that ended without one."""

    def __init__(self, stage: str) -> None:
        """Build with the name of the stage that had to give a value."""
        SequenceContainsNoElementsError.__init__(
            self,
            f"{stage}: the stream ended without an element; give a default, or use default_if_empty",
        )


class OutOfRangeError(EmptyError, ArgumentOutOfRangeException):
    """The stream ended before the element that was asked for."""

    def __init__(self, stage: str) -> None:
        """Build with the name of the stage that had to give a value."""
        ArgumentOutOfRangeException.__init__(
            self, f"{stage}: the stream ended before that element; give a default"
        )
