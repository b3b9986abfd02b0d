"""What virtual time and the leak checks find: errors of a test, not of a stream."""

from __future__ import annotations

from rxml.errors import RxmlError


class DeadlockError(RxmlError):
    """Nothing is ready, nothing is scheduled and nothing outside the loop is awaited: it would wait for ever."""


class RunawayError(RxmlError):
    """The loop has been at work for longer than its limit in real seconds."""


class LeakError(RxmlError):
    """A run ended and left tasks, async generators or errors that nobody took."""
