"""Replay: how much of a stream is kept for those who come back, and where somebody stands in it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from rxml.errors import PipelineError
from rxml.http.protocol import Resume

_NAME: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}")
_PLACE: Final = re.compile(r"(?P<epoch>[A-Za-z0-9._~-]{1,64})-(?P<offset>[0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Replay:
    """What is kept of a stream.

    Attributes:
        elements: the last so many, >= 1, beside the rest of what came with the oldest of them (an eighth of it at most).
        max_bytes: of them in memory, > 0; the last portion stays, however large its elements.
        epoch: names what offsets count, 1 to 64 of `A-Z a-z 0-9 . _ ~ -`. Two servers may give the same name only if their
            flows give the same elements from the first on: then a client can go on at either. None: another one each time
            that the app is served.

    Raises:
        PipelineError: an argument is out of its range.
    """

    elements: int = 1000
    max_bytes: int = 16 * 2**20
    epoch: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("elements", self.elements), ("max_bytes", self.max_bytes)):
            if value.__class__ is not int or value < 1:
                raise PipelineError(f"replay wants an int >= 1 as {name}, got {value!r}")
        if self.epoch is not None and not _NAME.fullmatch(self.epoch):
            raise PipelineError(
                f"epoch must be 1 to 64 letters, digits or . _ ~ -, got {self.epoch!r}"
            )


def replayed(given: Any) -> Replay | None:
    """What was given as `replay`: a number of elements, a `Replay`, or None.

    Raises:
        PipelineError: something else.
    """
    if given is None or isinstance(given, Replay):
        return given
    if given.__class__ is int:
        return Replay(given)
    raise PipelineError(f"replay must be a number of elements or a Replay, got {given!r}")


@dataclass(frozen=True, slots=True)
class Stand:
    """Where somebody goes on.

    Attributes:
        epoch: of the stream.
        offset: of the next element.
        gap: elements before it that were wanted and are not there any more.
        reset: it is not what was to be resumed.
    """

    epoch: str
    offset: int
    gap: int = 0
    reset: bool = False


def place(epoch: str, offset: int) -> str:
    """The place of an element as an `id` of SSE."""
    return f"{epoch}-{offset}"


def behind(last: str) -> Resume:
    """Where to go on behind the element whose `id` came last; what is no `id` of ours is of no epoch there is."""
    found = _PLACE.fullmatch(last)
    if found is None:
        return Resume(0, "")
    return Resume(int(found["offset"]) + 1, found["epoch"])


def stand(resume: Resume | None, *, epoch: str, first: int, following: int, ahead: int) -> Stand:
    """Where somebody goes on who comes.

    Args:
        resume: what was asked for; None: whatever comes next.
        epoch: of the stream.
        first: offset of the oldest element that is kept.
        following: offset of the next element that is made.
        ahead: how far beyond that may be waited for.
    """
    if resume is None:
        return Stand(epoch, following)
    offset = following if resume.offset is None else resume.offset
    if resume.epoch not in (None, epoch) or offset > following + ahead:
        return Stand(epoch, first, reset=True)
    if offset < first:
        return Stand(epoch, first, gap=first - offset)
    return Stand(epoch, offset)
