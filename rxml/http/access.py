"""Access: which request is answered to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from aiohttp import hdrs, web

from rxml.errors import PipelineError
from rxml.http.checks import names
from rxml.http.keys import OPEN, Key, Keyring, matches
from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEY: Final = web.RequestKey("rxml_key", Key)
"""Where a request keeps its key."""

_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="rxml"'}
_WRITES: Final = ("ingest", "admin")


class Right(NamedTuple):
    """What a key must be for.

    Attributes:
        scope: of `SCOPES`, or `OPEN`.
        model: whose name the path has; None: none.
    """

    scope: str
    model: str | None = None


_LATE: Final = web.RequestKey("rxml_late", Right)


class Access:
    """Lets requests pass by their key: `Authorization: Bearer SECRET`. Without any keys everybody may do everything.

    A WebSocket may come without the header, since browsers have no way to send it: then its first message has to be
    `{"type": "authorize", "token": "SECRET"}`. A secret is never looked for in the query, which ends up in logs.

    Args:
        keys: who may do what.
        channels: paths by the name of their channel. Keys that are confined to channels do not see the paths of others:
            they are answered as if there was nothing.
        read_only: nothing that changes anything is taken from anybody (403).

    Raises:
        PipelineError: one of these is something else, or a key names a channel that there is not.
    """

    def __init__(
        self,
        keys: Iterable[Key] = (),
        channels: Mapping[str, Iterable[str]] | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        keys = tuple(keys)
        self._ring = Keyring(keys)
        self._channels = {
            name: names(f"channel {name!r}", paths, "/shop/*")
            for name, paths in (channels or {}).items()
        }
        self._read_only = read_only
        self.plain: bool = not keys and not read_only
        for key in keys:
            if unknown := sorted(set(key.channels) - set(self._channels)):
                raise PipelineError(
                    f"key {key.name!r} is confined to {unknown}; the channels are {sorted(self._channels)}"
                )

    @property
    def keyed(self) -> bool:
        """True if keys are wanted."""
        return bool(self._ring)

    def admit(self, request: web.BaseRequest, right: Right | None, *, may_be_late: bool) -> None:
        """Let a request pass to an endpoint; `key_of` then tells its key.

        Args:
            request: that came.
            right: that the endpoint wants; None: there is nothing at its path.
            may_be_late: it wants a WebSocket, of which the first message may bring the key.

        Raises:
            Refusal: 401 without a key that holds, 403 if that may not do it, 404 if it does not see the path.
        """
        if self.keyed and (right is None or right.scope != OPEN):
            token = bearer(request)
            if token is None and right is not None and may_be_late:
                request[_LATE] = right
            else:
                self._by_key(request, token, right)
        if self._read_only and right is not None and right.scope in _WRITES:
            raise Refusal(403, "this server is read-only: it takes nothing in")

    def _by_key(self, request: web.BaseRequest, token: str | None, right: Right | None) -> None:
        key = self.find(token)
        request[KEY] = key
        if right is None:
            return
        if right.model is not None and "%2f" in request.raw_path.lower():
            raise Refusal(400, "an encoded / in the name of a model")
        self.check(key, right, request.path)

    def find(self, token: str | None) -> Key:
        """The key of a secret.

        Raises:
            Refusal: 401, there is none.
        """
        if token is None:
            raise Refusal(401, "a key is wanted: Authorization: Bearer SECRET", headers=_CHALLENGE)
        key = self._ring.find(token)
        if key is None:
            raise Refusal(401, "this key is unknown or has expired", headers=_CHALLENGE)
        return key

    def check(self, key: Key, right: Right, path: str) -> None:
        """Let pass what the key is for.

        Raises:
            Refusal: 403, or 404 for what it does not see.
        """
        if not self.visible(key, path):
            raise Refusal(404, f"nothing at {path[:200]}")
        check_scope(key, right.scope)
        if not key.may_use(path):
            raise Refusal(403, f"this key is not for {path[:200]}")
        if right.model is not None and not key.may_ask(right.model):
            raise Refusal(403, f"this key is not for the model {right.model[:200]!r}")

    def visible(self, key: Key | None, path: str) -> bool:
        """True if whoever has this key sees the path: it is of no channel, or of one of the key's."""
        if key is None or not key.channels:
            return True
        of = [name for name, paths in self._channels.items() if matches(path, paths)]
        return not of or not set(of).isdisjoint(key.channels)

    def shown(self, request: web.BaseRequest, paths: Iterable[str]) -> list[str]:
        """Those of the paths that the caller sees and may use, in order."""
        key = key_of(request)
        return [
            each
            for each in sorted(paths)
            if key is None or (self.visible(key, each) and key.may_use(each))
        ]


def key_of(request: web.BaseRequest) -> Key | None:
    """The key of a request that was admitted; None if none is wanted."""
    return request.get(KEY)


def late_right(request: web.BaseRequest) -> Right | None:
    """The right for which the first message of this WebSocket still has to bring a key; None: it needs none."""
    return request.get(_LATE)


def check_scope(key: Key, scope: str) -> None:
    """Let pass a key with this scope.

    Raises:
        Refusal: 403.
    """
    if scope not in key.scopes:
        raise Refusal(403, f"this key is not for {scope!r}", headers=_scope(scope))


def bearer(request: web.BaseRequest) -> str | None:
    """The secret in the header `Authorization`; None without one.

    Raises:
        Refusal: 401, there is something else.
    """
    header = request.headers.get(hdrs.AUTHORIZATION)
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refusal(401, "the header must be Authorization: Bearer SECRET", headers=_CHALLENGE)
    return token.strip()


def _scope(scope: str) -> dict[str, str]:
    return {"WWW-Authenticate": f'Bearer realm="rxml", error="insufficient_scope", scope="{scope}"'}
