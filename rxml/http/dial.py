"""Dial: what a client of `rxml.v1` is told before it connects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from rxml.errors import PipelineError
from rxml.http.address import require_url
from rxml.http.checks import instance
from rxml.http.codec import Codec
from rxml.http.decode import Intake
from rxml.http.limits import Limits
from rxml.http.peer import Peer
from rxml.http.protocol import JSON, MSGPACK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager

_PROTOCOLS: Final = {"json": JSON, "msgpack": MSGPACK}
LIMITS: Final = Limits(message_bytes=4 * 2**20, items=1_000_000)
"""Those of a client, which chooses whom it connects to."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Where to connect, and how.

    Attributes:
        url: of WebSocket or HTTP.
        protocol: a sub-protocol.
        intake: what elements are made into; None: left as they come.
        headers: of the request.
        limits: on messages and times.
    """

    url: str
    protocol: str
    intake: Intake[Any] | None
    headers: Mapping[str, str]
    limits: Limits

    @classmethod
    def of(
        cls,
        url: str,
        *,
        encoding: Literal["msgpack", "json"],
        type_: Any,
        headers: Mapping[str, str] | None,
        limits: Limits,
    ) -> Dial:
        """Check what a user has passed.

        Raises:
            PipelineError: url, encoding, type or limits are none.
        """
        require_url(url)
        instance("limits", limits, Limits)
        if encoding not in _PROTOCOLS:
            raise PipelineError(f"encoding must be 'msgpack' or 'json', got {encoding!r}")
        intake: Intake[Any] | None = None if type_ is None else Intake(type_)
        return cls(url, _PROTOCOLS[encoding], intake, dict(headers or {}), limits)

    def codec(self) -> Codec:
        """Of one connection."""
        return Codec(self.protocol, self.limits.wire(self.limits.message_bytes))

    def peer(self, codec: Codec) -> AbstractAsyncContextManager[Peer]:
        """One connection, open inside `async with`."""
        return Peer.at(self.url, codec, self.limits, self.headers)
