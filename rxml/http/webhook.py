"""webhook: posts elements to a url, and passes each on once it is taken there."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeVar

import aiohttp

from rxml.errors import PipelineError
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.context import drop
from rxml.flow.dropping import dropped
from rxml.flow.kinds import boundary, label
from rxml.flow.node import Cardinality
from rxml.flow.timing.duration import seconds_of
from rxml.http.address import require_url
from rxml.http.delivery import KINDS, Delivery, Terms
from rxml.http.guard import allowed, guarded
from rxml.http.signature import key_of
from rxml.resilience.retrying import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rxml.flow.body import Outlet
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription
    from rxml.flow.timing.duration import Duration
    from rxml.http.delivery import Encoding
    from rxml.http.guard import Address, Allow

A = TypeVar("A")

_BACKOFF: Final = Backoff(0.1, 2.0, 30.0)
_BATCH: Final = 100
"""Elements of a post, at most: `app.ingest` tells the errors of as many."""


def webhook(  # noqa: PLR0913 - each is a thing of its own
    url: str,
    *,
    encoding: Encoding = "json",
    batch: int = 1,
    concurrency: int = 1,
    secret: str | bytes | Sequence[str | bytes] | None = None,
    headers: Mapping[str, str] | None = None,
    backoff: Backoff = _BACKOFF,
    attempts: int = 8,
    deadline: Duration = 60.0,
    timeout: Duration = 10.0,
    allow: Allow = "any",
) -> Operator[Any, Any]:
    """Post elements to `url`; each comes out, in order, once it was taken there (a status 2xx).

    As many elements are posted together as are ready, at most `batch`, and none that is not asked for. Other answers:

    | answer | what follows |
    |---|---|
    | no connection, a time-out, 408, 425, 429, 500, 502, 503, 504 | the same body again, after a wait (full jitter) that is not shorter than `Retry-After` |
    | 400, 413, 422 to several elements | both halves on their own, so that one bad element fails alone |
    | any with the answer of `app.ingest` | each element as it says there; both halves, if it lists only some errors |
    | any other, redirects too | the elements are refused |

    An element that is refused, or not taken in time, is the supervisor's: it fails the flow, or goes to the dead letters
    under `ops.supervise("resume", dead_letters=...)`. A receiver may get a body twice (at least once): the headers
    `Idempotency-Key` and `webhook-id` are then the same; made of the elements' fact ids, if they have any, else by chance.

    With `secret`, bodies are signed as Standard Webhooks 1.0 has it; receivers check that with `verify_signature`.

    The url is yours. If it comes from somebody else, who could so reach what only this machine can (SSRF), say
    `allow="public"`: the address itself is checked as it is connected to. Redirects are never followed.

    Args:
        url: `http://` or `https://`.
        encoding: `json` (an array; of `batch=1` the element itself), `ndjson`, `msgpack`.
        batch: elements of a post, 1 to 100.
        concurrency: posts under way, >= 1; elements come out in order all the same, but may be taken in another.
        secret: at least 16 bytes, or `whsec_` and base64; several: each signs.
        headers: further ones.
        backoff: the waits.
        attempts: for one body, >= 1.
        deadline: seconds, or a timedelta, for one body with all its attempts; that of an element's context counts, too.
        timeout: seconds, or a timedelta, for one attempt.
        allow: `any` address, `public` ones, or a function of an `ipaddress`.

    Raises:
        PipelineError: an argument is none of these.
        ValueError: the secret is too short; a duration is negative.
        ConnectionLost: when run, an element was not taken in time.
        RemoteError: when run, an element was refused (`http_422`, …).
    """
    require_url(url)
    if encoding not in KINDS:
        raise PipelineError(f"encoding must be one of {', '.join(KINDS)}, got {encoding!r}")
    for name, value, most in (("batch", batch, _BATCH), ("concurrency", concurrency, CHUNK)):
        if value.__class__ is not int or not 1 <= value <= most:
            raise PipelineError(f"{name} must be an int from 1 to {most}, got {value!r}")
    if attempts.__class__ is not int or attempts < 1:
        raise PipelineError(f"attempts must be an int >= 1, got {attempts!r}")
    terms = Terms(
        url,
        encoding,
        batch,
        dict(headers or {}),
        _keys(secret),
        backoff,
        attempts,
        seconds_of(deadline, "webhook(deadline)"),
        seconds_of(timeout, "webhook(timeout)"),
    )
    rule = allowed(allow)

    async def body(inlets: tuple[Subscription[Any], ...], outlet: Outlet[Any]) -> None:
        await _posted(terms, concurrency, rule, inlets[0], outlet)

    return boundary(
        label("webhook", url),
        body,
        cardinality=Cardinality.ONE,
        capacity=batch * concurrency,
        passes=True,
    )


def _keys(secret: str | bytes | Sequence[str | bytes] | None) -> tuple[bytes, ...]:
    if secret is None:
        return ()
    several = [secret] if isinstance(secret, str | bytes) else list(secret)
    return tuple(key_of(each) for each in several)


async def _posted(
    terms: Terms,
    concurrency: int,
    rule: Callable[[Address], bool],
    inlet: Subscription[Any],
    outlet: Outlet[Any],
) -> None:
    connector = aiohttp.TCPConnector(limit=concurrency, socket_factory=guarded(rule))
    async with aiohttp.ClientSession(connector=connector) as session:
        await _Posts(Delivery(terms, session, outlet.clock), terms.batch, concurrency, outlet).run(
            inlet
        )


class _Posts:
    """Those under way, in order."""

    def __init__(
        self, delivery: Delivery, batch: int, concurrency: int, outlet: Outlet[Any]
    ) -> None:
        self._delivery = delivery
        self._batch = batch
        self._concurrency = concurrency
        self._outlet = outlet
        self._posts: deque[tuple[Chunk[Any], asyncio.Task[list[Exception | None]]]] = deque()
        self._held = 0
        self._changed = asyncio.Event()
        self._over = False
        self._error: Exception | None = None

    async def run(self, inlet: Subscription[Any]) -> None:
        """Until all elements have come out, or one has failed the flow."""
        taking = self._outlet.spawn(self._take(inlet), "intake")
        taking.add_done_callback(lambda _: self._changed.set())
        try:
            while self._posts or not self._over:
                self._changed.clear()
                await (self._give() if self._posts else self._changed.wait())
        finally:
            dropped(*(chunk for chunk, _ in self._posts))
        if self._error is not None:
            raise self._error

    async def _take(self, inlet: Subscription[Any]) -> None:
        """Take elements as they are wanted, and begin to post them."""
        try:
            while not (chunk := await inlet.request(await self._room())).end:
                if len(chunk.elements):
                    self._begin(chunk)
        except Exception as error:  # noqa: BLE001 - raised behind the elements before it
            self._error = error
        self._over = True
        self._changed.set()

    async def _room(self) -> int:
        while True:
            wanted = await self._outlet.wanted() - self._held
            if wanted > 0 and len(self._posts) < self._concurrency:
                return min(wanted, self._batch)
            self._changed.clear()
            await self._changed.wait()

    def _begin(self, chunk: Chunk[Any]) -> None:
        contexts = chunk.contexts
        post = self._outlet.spawn(self._delivery.deliver(chunk.elements, contexts), "post")
        self._held += len(chunk.elements)
        self._posts.append((chunk, post))
        self._changed.set()

    async def _give(self) -> None:
        """Wait for the first post, and hand over what was taken of it."""
        chunk, post = self._posts[0]
        outcomes = await post
        self._posts.popleft()
        self._held -= len(outcomes)
        kept: list[int] = []
        for index, error in enumerate(outcomes):
            if error is None:
                kept.append(index)
            elif failure := self._failed(chunk, index, error):
                self._hand(chunk, kept)
                drop((chunk.contexts or ())[index + 1 :])
                raise failure
        self._hand(chunk, kept)
        self._changed.set()

    def _failed(self, chunk: Chunk[Any], index: int, error: Exception) -> Exception | None:
        context = None if chunk.contexts is None else chunk.contexts[index]
        return self._outlet.failed(error, chunk.elements[index], context)

    def _hand(self, chunk: Chunk[Any], kept: list[int]) -> None:
        if not kept:
            return
        contexts = None if chunk.contexts is None else [chunk.contexts[index] for index in kept]
        whole = len(kept) == len(chunk.elements)
        elements = chunk.elements if whole else [chunk.elements[index] for index in kept]
        self._outlet.channel.put(Chunk(elements, contexts))
