"""Key: who may do what, and for how long. Its secret is not kept, only what it hashes to."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Self

from rxml.errors import PipelineError
from rxml.http.checks import instance, names

if TYPE_CHECKING:
    from collections.abc import Iterable

SCOPES: Final = ("infer", "stream", "ingest", "metrics", "admin")
"""What a key may be for: predictions; streams that go out; elements that come in; `/metrics`; the rest of the admin port."""

OPEN: Final = "open"
"""The scope of an endpoint that answers without a key."""

_SHORTEST: Final = 16
_ALL: Final = ("*",)


@dataclass(frozen=True, slots=True)
class Key:
    """An access key. Make one with `Key.of`, or with `Key.new`, which draws the secret.

    Attributes:
        name: for logs; no secret.
        digest: SHA-256 of the secret, in hex. A secret is drawn at random or refused for being short, so that a slow hash
            would add nothing but load.
        scopes: of `SCOPES`.
        paths: that it may use: `/orders`, or `/orders/*` for all that begin so; all by default.
        models: that it may use, in the same way.
        channels: that it is confined to, see `App(channels=...)`; none: it sees all.
        expires: when it ends; None: never.

    Raises:
        PipelineError: one of these is something else.
    """

    name: str
    digest: str
    _: KW_ONLY
    scopes: tuple[str, ...]
    paths: tuple[str, ...] = _ALL
    models: tuple[str, ...] = _ALL
    channels: tuple[str, ...] = ()
    expires: datetime | None = None

    def __post_init__(self) -> None:
        """Check all of it: a key that says something else than it means is worse than none."""
        for field, example in _LISTS.items():
            object.__setattr__(
                self, field, names(f"{field} of a key", getattr(self, field), example)
            )
        _require_digest(self.digest)
        wrong = sorted(set(self.scopes) - set(SCOPES))
        if wrong or not self.scopes:
            raise PipelineError(
                f"key {self.name!r} has the scopes {wrong or '()'}; there are {', '.join(SCOPES)}"
            )
        if self.expires is not None and self.expires.tzinfo is None:
            raise PipelineError(
                f"key {self.name!r} expires at {self.expires}: a time with a zone is wanted, such as UTC"
            )

    @classmethod
    def of(cls, name: str, secret: str, **fields: Any) -> Self:
        """The key of a secret.

        Args:
            name: for logs.
            secret: at least 16 characters of printable ASCII without blanks.
            fields: the others of the class.

        Raises:
            PipelineError: the secret is no such thing, or a field is wrong.
        """
        if (
            len(secret) < _SHORTEST
            or not secret.isascii()
            or not secret.isprintable()
            or " " in secret
        ):
            raise PipelineError(
                f"the secret of key {name!r} must be {_SHORTEST} or more characters of printable ASCII "
                "without blanks; Key.new draws a good one"
            )
        return cls(name, digest_of(secret), **fields)

    @classmethod
    def new(cls, name: str, **fields: Any) -> tuple[Self, str]:
        """A key and its secret, 256 bits drawn at random: show it once, keep only the key."""
        secret = secrets.token_urlsafe(32)
        return cls.of(name, secret, **fields), secret

    def left(self) -> float | None:
        """Seconds until it ends, <= 0 if it has; None: it does not end."""
        if self.expires is None:
            return None
        return (self.expires - datetime.now(UTC)).total_seconds()

    def may_use(self, path: str) -> bool:
        """True if the path is one of its paths."""
        return self.paths == _ALL or matches(path, self.paths)

    def may_ask(self, model: str) -> bool:
        """True if the model is one of its models."""
        return self.models == _ALL or matches(model, self.models)


_LISTS: Final = {"scopes": "infer", "paths": "/orders/*", "models": "price", "channels": "shop"}


class Keyring:
    """Finds the key of a secret.

    Args:
        keys: with different names and secrets.

    Raises:
        PipelineError: two are the same, or one is no key.
    """

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys: dict[str, list[Key]] = {}
        seen: set[str] = set()
        for key in keys:
            instance("each of keys", key, Key)
            if key.name in seen or self.has(key.digest):
                raise PipelineError(f"two keys are named {key.name!r} or have the same secret")
            seen.add(key.name)
            self._keys.setdefault(key.digest[:8], []).append(key)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def has(self, digest: str) -> bool:
        """True if some key has it."""
        return any(each.digest == digest for each in self._keys.get(digest[:8], []))

    def find(self, secret: str) -> Key | None:
        """The key of a secret, if there is one and it has not ended.

        What is looked up is a hash, of which a caller cannot choose a part; the whole is compared in constant time.
        """
        digest = digest_of(secret)
        for key in self._keys.get(digest[:8], []):
            if hmac.compare_digest(key.digest, digest):
                left = key.left()
                return key if left is None or left > 0 else None
        return None


def digest_of(secret: str) -> str:
    """SHA-256 of a secret, in hex."""
    return sha256(secret.encode(errors="surrogateescape")).hexdigest()


def matches(name: str, patterns: Iterable[str]) -> bool:
    """True if the name is one of the patterns, or begins with one that ends with `*`."""
    return any(
        name.startswith(each[:-1]) if each.endswith("*") else name == each for each in patterns
    )


def _require_digest(digest: Any) -> None:
    if not isinstance(digest, str) or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise PipelineError(
            "the digest of a key is 64 hex digits of SHA-256; Key.of makes it from a secret"
        )
