"""Judging: what an answer to a webhook means for each of its elements. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from rxml.errors import ConnectionLost, RemoteError
from rxml.http.answered import PASSING, retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPLIT: Final = frozenset({400, 413, 422})
"""Statuses that may be for one element's sake."""


class _Error(msgspec.Struct):
    index: int
    error: str = ""


class _Details(msgspec.Struct):
    """What `app.ingest` answers; other receivers may do so, too."""

    rejected: int
    errors: list[_Error]
    next: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a post.

    Attributes:
        done: elements, from the first, whose fate is known.
        refused: those among them that were not taken, by index.
        again: why the others are to be sent once more; None: they are not.
        halve: send both halves on their own, to find out which element is not taken.
    """

    done: int
    refused: Mapping[int, Exception] = field(default_factory=dict[int, Exception])
    again: ConnectionLost | None = None
    halve: bool = False


def judged(
    status: int, headers: Mapping[str, str], body: bytes, count: int, url: str = "it"
) -> Verdict:
    """What an answer means.

    Args:
        status: of HTTP.
        headers: of the answer.
        body: of it, cut at some length.
        count: elements that were sent, >= 1.
        url: where to, for what is said of it.
    """
    details = _details(body)
    if details is not None and _told(status, details, count):
        done = count if details.next is None else details.next
        refused: dict[int, Exception] = {
            each.index: RemoteError(f"http_{status}", each.error)
            for each in details.errors
            if 0 <= each.index < done
        }
        return Verdict(done, refused, None if done == count else _passing(status, headers, url))
    refusing = details is not None and details.rejected > 0
    if 200 <= status < 300 and not refusing:
        return Verdict(count)
    if status in PASSING:
        return Verdict(0, again=_passing(status, headers, url))
    if count > 1 and (status in _SPLIT or 200 <= status < 300):
        return Verdict(0, halve=True)
    error: Exception = RemoteError(f"http_{status}", body[:200].decode(errors="replace"))
    return Verdict(count, dict.fromkeys(range(count), error))


def _told(status: int, details: _Details, count: int) -> bool:
    """Whether the answer tells of each element what became of it. One that lists only some errors does not."""
    whole = details.rejected == len(details.errors)
    following = details.next
    if following is not None:
        return whole and 1 <= following <= count
    return whole and (200 <= status < 300 or status == 422)


def _passing(status: int, headers: Mapping[str, str], url: str) -> ConnectionLost:
    after = retry_after(headers.get("Retry-After"))
    return ConnectionLost(
        f"{url} answered {status}", retry_after=after, final=status not in PASSING
    )


def _details(body: bytes) -> _Details | None:
    try:
        return msgspec.json.decode(body, type=_Details)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
