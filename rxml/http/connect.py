"""connect: a stream of another process, asked for as it is wanted here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from rxml.errors import ConnectionLost, PipelineError, ProtocolError
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.kinds import body_source, label
from rxml.http.answers import ID, Answers
from rxml.http.checks import instance
from rxml.http.dial import LIMITS, Dial
from rxml.http.gaps import Gap as Lost
from rxml.http.gaps import on_gap as known
from rxml.http.gaps import told
from rxml.http.protocol import (
    Complete,
    Drain,
    Error,
    Gap,
    Next,
    Position,
    RawNext,
    Reset,
    Resume,
    Subscribe,
)
from rxml.http.race import race
from rxml.http.reconnect import Attempts, Reconnect, persistently
from rxml.http.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable
    from rxml.flow.subscription import Subscription
    from rxml.http.gaps import OnGap
    from rxml.http.limits import Limits
    from rxml.http.peer import Peer

T = TypeVar("T")


@overload
def connect(
    url: str,
    *,
    type: None = ...,
    encoding: Literal["msgpack", "json"] = ...,
    headers: Mapping[str, str] | None = ...,
    limits: Limits = ...,
    reconnect: Reconnect | None = ...,
    offset: int | None = ...,
    epoch: str | None = ...,
    on_gap: OnGap = ...,
) -> Flowable[Any]: ...


@overload
def connect(
    url: str,
    *,
    type: type[T],
    encoding: Literal["msgpack", "json"] = ...,
    headers: Mapping[str, str] | None = ...,
    limits: Limits = ...,
    reconnect: Reconnect | None = ...,
    offset: int | None = ...,
    epoch: str | None = ...,
    on_gap: OnGap = ...,
) -> Flowable[T]: ...


def connect(  # noqa: PLR0913 - each is a thing of its own
    url: str,
    *,
    type: Any = None,  # noqa: A002 - it reads best at the call
    encoding: Literal["msgpack", "json"] = "msgpack",
    headers: Mapping[str, str] | None = None,
    limits: Limits = LIMITS,
    reconnect: Reconnect | None = None,
    offset: int | None = None,
    epoch: str | None = None,
    on_gap: OnGap = "log",
) -> Flowable[Any]:
    """The stream that an `App` of another process offers at `url`; each run is a connection of its own.

    Demand travels: what is asked for here is asked for there (1 if 1 is wanted), again when three quarters of it have
    come, and at most about 4 MiB of it at a time. A reader here that stalls so stalls the flow there. An element that was
    asked for and not yet taken waits here; at most 1024 do.

    With `reconnect` a connection that is lost is made again, and the stream goes on behind the last element that came: no
    element comes twice, and those that the other end does not keep any more are told as a gap. The other end must keep
    some: `app.stream(path, flow, replay=1000)`.

    Args:
        url: `ws://` or `wss://`, or `http://` or `https://` which mean the same.
        type: what each element is made into, by msgspec; None: dicts, lists, numbers, arrays.
        encoding: on the wire; msgpack keeps arrays and batches.
        headers: further headers of the request.
        limits: `message_bytes`, `depth`, `items`, `heartbeat_seconds`, `hello_seconds` and `pong_seconds` count here.
        reconnect: when to connect again; None: never.
        offset: of the first element that is wanted, >= 0, on a stream with `replay`; None: the next that is made.
        epoch: that the offset counts in; None: whichever there is.
        on_gap: what follows when elements are lost: `log`, `error` (the flow fails with `GapError`), or a function that is
            called with a `Gap`. They are counted as dropped in any case.

    Raises:
        PipelineError: url, type, encoding, offset, epoch or policy are none of these.
        ConnectionLost: when run, no connection could be made, or it broke, or the server ends; without `reconnect`,
            `ops.retry` helps.
        RemoteError: when run, the flow failed there, or nothing is kept of it (`resume`).
        ProtocolError: when run, the other end does not speak `rxml.v1`, or broke its rules.
    """
    dial = Dial.of(url, encoding=encoding, type_=type, headers=headers, limits=limits)
    start = _start(reconnect, offset, epoch)
    lost = known(on_gap)

    async def body(_inlets: tuple[Subscription[Any], ...], outlet: Outlet[Any]) -> None:
        client = _Client(dial, outlet, start, lost, Attempts(reconnect))
        await persistently(client.attempt, client.attempts, outlet.clock, outlet.wanted)

    return body_source(label("connect", url), body, capacity=CHUNK)


def _start(reconnect: Reconnect | None, offset: Any, epoch: Any) -> Resume | None:
    if reconnect is not None:
        instance("reconnect", reconnect, Reconnect)
    if offset is not None and (offset.__class__ is not int or not 0 <= offset < 2**63):
        raise PipelineError(f"offset must be an int from 0 to 2^63 - 1, got {offset!r}")
    if epoch is not None and not (isinstance(epoch, str) and len(epoch) <= 64):
        raise PipelineError(f"epoch must be a str of at most 64 characters, got {epoch!r}")
    if reconnect is None and offset is None and epoch is None:
        return None
    return Resume(offset, epoch)


class _Client:
    """One run, of one connection after the other."""

    def __init__(
        self,
        dial: Dial,
        outlet: Outlet[Any],
        resume: Resume | None,
        on_gap: OnGap,
        attempts: Attempts,
    ) -> None:
        self._dial = dial
        self._outlet = outlet
        self._resume = resume
        self._on_gap: OnGap = on_gap
        self.attempts = attempts
        self._turns = Turns()
        self._placed = resume is None

    async def attempt(self) -> None:
        """One connection, until the stream has ended."""
        codec = self._dial.codec()
        answers = Answers(self._dial.url, self._outlet, self._dial.intake)
        self._placed = self._resume is None
        async with self._dial.peer(codec) as peer:
            asking = answers.ask(peer, lambda n: Subscribe(ID, n, resume=self._resume))
            await race(self._take(peer, answers), asking)

    async def _take(self, peer: Peer, answers: Answers) -> None:
        """Take what comes, until the stream has ended."""
        while True:
            frame, size = await peer.receive()
            await self._turns.pause()
            answers.check(frame)
            if isinstance(frame, Next | RawNext):
                self._elements(answers, frame, size)
            elif isinstance(frame, Complete):
                return
            elif isinstance(frame, Error):
                raise self._failure(peer, frame)
            elif isinstance(frame, Drain):
                answers.draining = True
            else:
                self._moved(frame)

    def _failure(self, peer: Peer, frame: Error) -> Exception:
        """Whoever can go on later is not hurt by having asked for nothing for a while."""
        if frame.code == "idle" and self._resume is not None:
            return ConnectionLost(f"{self._dial.url}: {frame.message}")
        return peer.failure(frame)

    def _elements(self, answers: Answers, frame: Next | RawNext, size: int) -> None:
        if not self._placed:
            raise ProtocolError(f"{self._dial.url} does not say where the stream goes on")
        elements = answers.elements(frame, size)
        self._outlet.channel.put(Chunk(elements))
        self.attempts.progressed()
        if self._resume is not None and self._resume.offset is not None:
            self._resume = Resume(self._resume.offset + len(elements), self._resume.epoch)

    def _moved(self, frame: object) -> None:
        """The stream goes on at another place than behind the last element."""
        if self._resume is None or not isinstance(frame, Position | Gap | Reset):
            raise ProtocolError(f"{self._dial.url} sent {frame!r}, which has no place here")
        epoch = self._resume.epoch if isinstance(frame, Gap) else frame.epoch
        before, self._resume = self._resume, Resume(frame.offset, epoch)
        self._placed = True
        if isinstance(frame, Gap):
            self._lost(frame.count, "they are not kept any more")
        elif isinstance(frame, Reset):
            self._lost(None, f"the stream has begun anew, in the epoch {frame.epoch}")
        elif before.offset not in (None, frame.offset) and before.epoch == frame.epoch:
            gone = frame.offset - (before.offset or 0)
            if gone < 0:
                raise ProtocolError(f"{self._dial.url} goes back by {-gone} elements")

    def _lost(self, count: int | None, reason: str) -> None:
        told(Lost(self._dial.url, count, reason), self._on_gap, self._outlet)
