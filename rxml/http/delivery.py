"""Delivery: elements posted to one url, until each is taken, refused, or too late."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final, Literal

import aiohttp

from rxml.batch import Batch
from rxml.errors import ConnectionLost
from rxml.http.address import unreachable
from rxml.http.encode import to_json, to_msgpack
from rxml.http.guard import ForbiddenError
from rxml.http.judging import Verdict, judged
from rxml.http.reconnect import Attempts, Reconnect
from rxml.http.signature import ID, signed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rxml.flow.clock import Clock
    from rxml.flow.context import Context
    from rxml.resilience.retrying import Backoff

Encoding = Literal["json", "ndjson", "msgpack"]
KINDS: Final[dict[str, str]] = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "msgpack": "application/msgpack",
}
_ANSWER: Final = 64 * 2**10
"""Bytes of an answer that are looked at."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How elements are posted.

    Attributes:
        url: where to.
        encoding: of bodies.
        batch: elements of one post; of 1, the body is the element itself.
        headers: further ones.
        keys: that sign; none: nothing is signed.
        backoff: waits between attempts.
        attempts: for one body.
        deadline: seconds for one body, attempts and waits together.
        timeout: seconds for one attempt.
    """

    url: str
    encoding: Encoding
    batch: int
    headers: Mapping[str, str]
    keys: tuple[bytes, ...]
    backoff: Backoff
    attempts: int
    deadline: float
    timeout: float


class Delivery:
    """Posts of one run.

    Args:
        terms: how.
        session: of HTTP.
        clock: of the run.
        failed: called when an attempt has failed and another follows.
    """

    def __init__(self, terms: Terms, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._terms = terms
        self._session = session
        self._clock = clock
        self._run = token_hex(8)
        self._posted = 0

    async def deliver(
        self, elements: Sequence[Any], contexts: Sequence[Context] | None
    ) -> list[Exception | None]:
        """Post elements; what each has failed with, or None."""
        outcomes: list[Exception | None] = [None] * len(elements)
        spans = deque([(0, len(elements))])
        end = self._clock.time() + self._seconds(contexts)
        while spans:
            start, stop = spans.popleft()
            id_ = self._id(contexts and contexts[start:stop])
            try:
                verdict = await self._until_judged(elements[start:stop], id_, end)
            except (TypeError, ValueError, OverflowError, RecursionError) as error:
                verdict = _formless(error, stop - start)
            except ConnectionLost as error:
                outcomes[start:stop] = [error] * (stop - start)
                continue
            for index, refusal in verdict.refused.items():
                outcomes[start + index] = refusal
            rest = _rest(verdict, start, stop)
            if verdict.again is not None and self._is_late(verdict.again, end):
                for first, last in rest:
                    outcomes[first:last] = [verdict.again] * (last - first)
                continue
            spans.extendleft(reversed(rest))
            if verdict.again is not None:
                await self._clock.sleep(verdict.again.retry_after or 0.0)
        return outcomes

    def _is_late(self, again: ConnectionLost, end: float) -> bool:
        """Whether the receiver wants to be asked again only once it is too late."""
        return self._clock.time() + (again.retry_after or 0.0) > end

    def _seconds(self, contexts: Sequence[Context] | None) -> float:
        """Until it is too late: by the terms, or by the nearest deadline of an element."""
        known = [each.deadline for each in contexts or () if each.deadline is not None]
        left = min(known, default=float("inf")) - self._clock.time()
        return max(0.0, min(self._terms.deadline, left))

    def _id(self, contexts: Sequence[Context] | None) -> str:
        """The same whenever the same facts are sent; without facts, whenever this body is sent again."""
        facts = [each.fact_id for each in contexts or ()]
        if facts and all(facts):
            return "msg_" + sha256("\n".join(map(str, facts)).encode()).hexdigest()[:32]
        self._posted += 1
        return f"msg_{self._run}{self._posted:x}"

    async def _until_judged(self, elements: Sequence[Any], id_: str, end: float) -> Verdict:
        """Post until the fate of the first elements is known.

        Raises:
            ConnectionLost: no further attempt is due.
        """
        body = _body(elements, self._terms)
        now = self._clock.time()
        policy = Reconnect(
            backoff=self._terms.backoff,
            attempts=self._terms.attempts,
            elapsed=max(0.0, end - now),
        )
        attempts = Attempts(policy)
        attempts.begun(now)
        while True:
            try:
                verdict = await self._post(body, id_, len(elements), end)
                if verdict.again is None or verdict.done:
                    return verdict
                raise verdict.again
            except ConnectionLost as error:
                wait = attempts.failed(error, self._clock.time())
            await self._clock.sleep(wait)

    async def _post(self, body: bytes, id_: str, count: int, end: float) -> Verdict:
        terms = self._terms
        signs = signed(terms.keys, id_, time.time_ns() // 10**9, body) if terms.keys else {ID: id_}
        headers = {
            "Content-Type": KINDS[terms.encoding],
            "Idempotency-Key": id_,
            **terms.headers,
            **signs,
        }
        left = end - self._clock.time()
        if left <= 0:
            raise ConnectionLost(f"{terms.url}: the deadline has passed", final=True)
        try:
            async with (
                asyncio.timeout(min(terms.timeout, left)),
                self._session.post(
                    terms.url, data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                answer = await _beginning(response.content)
                return judged(response.status, response.headers, answer, count, terms.url)
        except aiohttp.ClientConnectorError as error:
            final = isinstance(error.os_error, ForbiddenError)
            words = str(error.os_error) if final else unreachable(error)
            raise ConnectionLost(f"{terms.url}: {words}", final=final) from error
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            words = str(error) or type(error).__name__
            raise ConnectionLost(f"{terms.url}: {words}") from error


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """What an answer says, up to some length, however it comes in parts."""
    parts: list[bytes] = []
    left = _ANSWER
    while left and (part := await content.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _formless(error: Exception, count: int) -> Verdict:
    """What follows if there is no form for some element: it is looked for, and fails alone."""
    return Verdict(0, halve=True) if count > 1 else Verdict(1, {0: error})


def _rest(verdict: Verdict, start: int, stop: int) -> list[tuple[int, int]]:
    """What of a span is to be posted next."""
    if verdict.halve:
        middle = (start + stop) // 2
        return [(start, middle), (middle, stop)]
    done = start + verdict.done
    return [(done, stop)] if done < stop and verdict.again is not None else []


def _body(elements: Sequence[Any], terms: Terms) -> bytes:
    """Elements as one body.

    Raises:
        TypeError: JSON has no form for one of them.
        WireError: msgpack has none.
    """
    if terms.encoding == "ndjson":
        return b"".join(to_json(element) + b"\n" for element in elements)
    whole: Any = elements if isinstance(elements, Batch) else list(elements)
    whole = elements[0] if terms.batch == 1 else whole
    return to_json(whole) if terms.encoding == "json" else to_msgpack(whole)
