"""Reading: what the client sources have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import msgspec

from rxml.errors import ConnectionLost, PipelineError, ProtocolError, RemoteError
from rxml.http.address import require_url
from rxml.http.checks import instance
from rxml.http.gaps import Gap, on_gap, told
from rxml.http.limits import Limits
from rxml.http.protocol import Resume
from rxml.http.reconnect import Attempts, Reconnect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.flow.body import Outlet
    from rxml.http.gaps import OnGap


@dataclass(frozen=True, slots=True)
class Reading:
    """Where to read, and how.

    Attributes:
        url: as given.
        decoder: of an element; None: it stays as it comes.
        headers: of the request.
        limits: on sizes and times.
        reconnect: when to connect again; None: never.
        on_gap: what follows a gap.
    """

    url: str
    decoder: msgspec.json.Decoder[Any] | None
    headers: Mapping[str, str]
    limits: Limits
    reconnect: Reconnect | None
    on_gap: OnGap

    @classmethod
    def of(
        cls,
        url: str,
        type_: Any,
        *,
        headers: Mapping[str, str] | None,
        limits: Limits,
        reconnect: Reconnect | None,
        gaps: OnGap,
    ) -> Reading:
        """Check what a user has passed.

        Raises:
            PipelineError: one of them is none.
        """
        require_url(url)
        instance("limits", limits, Limits)
        if reconnect is not None:
            instance("reconnect", reconnect, Reconnect)
        decoder = None if type_ is None else _decoder(type_)
        return cls(url, decoder, dict(headers or {}), limits, reconnect, on_gap(gaps))

    def attempts(self) -> Attempts:
        """Those of one run."""
        return Attempts(self.reconnect)

    def element(self, data: bytes | str) -> Any:
        """An element from JSON.

        Raises:
            ProtocolError: it is none, or does not fit.
        """
        try:
            return None if self.decoder is None else self.decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ProtocolError(f"{self.url} sent an element that does not fit: {error}") from error

    def place(self, details: object) -> Resume:
        """Where a stream of ours goes on, by the object that says so.

        Raises:
            ProtocolError: it does not.
        """
        try:
            return msgspec.convert(details, Resume)
        except msgspec.ValidationError as error:
            raise ProtocolError(f"{self.url} begins anew nowhere: {error}") from error

    def inner(self, details: Mapping[str, Any], name: str) -> dict[str, Any]:
        """What an object of JSON says by this name, if that is an object, too.

        Raises:
            ProtocolError: it is none.
        """
        found: Any = details.get(name)
        if not isinstance(found, dict):
            raise ProtocolError(f"{self.url} sent {name} = {found!r:.80}, which is no object")
        return cast("dict[str, Any]", found)

    def begun_anew(self, epoch: str | None, outlet: Outlet[Any]) -> None:
        """A stream of ours goes on in another epoch.

        Raises:
            GapError: that is what follows.
        """
        self.lost(None, f"the stream has begun anew, in the epoch {epoch}", outlet)

    def missed(self, details: Mapping[str, Any], outlet: Outlet[Any]) -> int:
        """A stream of ours has a gap; returns its length.

        Raises:
            GapError: that is what follows.
            ProtocolError: it has none.
        """
        count: Any = details.get("gap")
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count < 2**63:
            raise ProtocolError(f"{self.url} sent a gap of {count!r:.80}")
        self.lost(count, "they are not kept any more", outlet)
        return count

    def lost(self, count: int | None, reason: str, outlet: Outlet[Any]) -> None:
        """Elements are lost, or may be.

        Raises:
            GapError: that is what follows.
        """
        told(Gap(self.url, count, reason), self.on_gap, outlet)

    def details(self, data: bytes | str) -> dict[str, Any]:
        """What a stream of ours says beside elements.

        Raises:
            ProtocolError: it is no object of JSON.
        """
        try:
            return msgspec.json.decode(data, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ProtocolError(f"{self.url} sent what is no element, and {error}") from error

    def failure(self, details: Mapping[str, Any]) -> Exception:
        """What a stream of ours has failed with, by the object that says so."""
        code, message = str(details.get("code", "failed")), str(details.get("message", ""))
        if code in ("drain", "slow"):
            return ConnectionLost(f"{self.url}: {message}")
        return RemoteError(code, message)


def _decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    try:
        return msgspec.json.Decoder(type_)
    except TypeError as error:
        raise PipelineError(f"type={type_!r} cannot be decoded to: {error}") from error
