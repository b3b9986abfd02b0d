"""The sub-protocol `rxml.v1`: frames and rules. Pure: no sockets, no event loop.

One message is one frame: a map with `type`, as JSON text (`rxml.v1+json`) or as binary msgpack (`rxml.v1+msgpack`).
docs/http.md tells the rules in full.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

import msgspec

JSON: Final = "rxml.v1+json"
MSGPACK: Final = "rxml.v1+msgpack"
NAMES: Final = (MSGPACK, JSON)

MOST: Final = 2**31 - 1
"""The largest demand; as it stands it means: without a limit."""

UPSTREAM: Final = 0
"""The id of the one stream that goes up, on a path of `ingest`; those that clients choose begin at 1."""

BAD_FRAME: Final = 4400
HELLO_TIMEOUT: Final = 4408
SHED: Final = 4429
LATER: Final = 1013
DRAIN: Final = 4503

Id: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
Span: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
"""Milliseconds; at most 24 days."""

Offset: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""Elements since the first of an epoch."""


class Frame(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    """One message."""


class Hello(Frame, frozen=True, tag="hello"):
    """Client: opens the conversation."""

    version: int = 1


class Ready(Frame, frozen=True, tag="ready"):
    """Server: the answer to `hello`; what it takes at most."""

    limits: dict[str, int]


class Resume(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where to go on in a stream that is kept for a while.

    Attributes:
        offset: of the first element that is wanted; None: of the next that is made.
        epoch: that the offset counts in; None: whichever there is.
    """

    offset: Offset | None = None
    epoch: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class Subscribe(Frame, frozen=True, tag="subscribe"):
    """Client: opens a stream, with its first demand.

    Attributes:
        id: the client's name for it, from 1 on, not in use.
        n: first demand in elements, 1 to 2^31 - 1.
        path: of the stream, if it is another one than that of the connection.
        deadline_ms: milliseconds until its answer is worth nothing.
        resume: where to begin, on a stream with `replay`; `position`, `gap` and `reset` come only to who sends this.
    """

    id: Id
    n: int
    path: str | None = None
    deadline_ms: Span | None = None
    resume: Resume | None = None


class Request(Frame, frozen=True, tag="request"):
    """Either side: demand for n more elements."""

    id: Id
    n: int


class Cancel(Frame, frozen=True, tag="cancel"):
    """Client: the stream is of no more use."""

    id: Id


class Next(Frame, frozen=True, tag="next"):
    """Either side: one or more elements in order; `seq` counts them from 0, and is that of the first here."""

    id: Id
    items: Any
    seq: int | None = None


class RawNext(Frame, frozen=True, tag="next"):
    """The same with its items not yet decoded, as JSON allows."""

    id: Id
    items: list[msgspec.Raw]
    seq: int | None = None


class Complete(Frame, frozen=True, tag="complete"):
    """Either side: the stream has ended."""

    id: Id


class Error(Frame, frozen=True, tag="error"):
    """Server: the stream has failed.

    Attributes:
        code: for programs: failed, idle, deadline, streams, path, size, busy, gap, resume, drain.
        message: for people.
        retry_after_ms: milliseconds after which it may be tried again.
    """

    id: Id
    code: str
    message: str = ""
    retry_after_ms: int | None = None


class Reject(Frame, frozen=True, tag="reject"):
    """Server: the element that was sent up as number `seq` is not valid, or has no answer, and was left out.

    Attributes:
        message: for people.
        status: that an answer over HTTP would have had; None: 400.
    """

    id: Id
    seq: int
    message: str
    status: int | None = None


class Drain(Frame, frozen=True, tag="drain"):
    """Server: it is about to end; what is on its way comes through until then, new demand is not met."""

    deadline_ms: Span


class Position(Frame, frozen=True, tag="position"):
    """Server: the next element has this offset; comes before the first."""

    id: Id
    epoch: str
    offset: Offset


class Gap(Frame, frozen=True, tag="gap"):
    """Server: `count` elements are not there any more; the next has this offset."""

    id: Id
    offset: Offset
    count: Offset


class Reset(Frame, frozen=True, tag="reset"):
    """Server: what was to be resumed is not there: the stream has another epoch, and goes on in that at this offset."""

    id: Id
    epoch: str
    offset: Offset


FromClient: TypeAlias = Hello | Subscribe | Request | Cancel | Next | Complete
FromClientRaw: TypeAlias = Hello | Subscribe | Request | Cancel | RawNext | Complete
FromServer: TypeAlias = (
    Ready | Next | Complete | Error | Request | Reject | Drain | Position | Gap | Reset
)
FromServerRaw: TypeAlias = (
    Ready | RawNext | Complete | Error | Request | Reject | Drain | Position | Gap | Reset
)


def name_of(frame: Frame) -> str:
    """The type of a frame, as it is called on the wire."""
    return str(frame.__struct_config__.tag)
