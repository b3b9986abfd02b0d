"""Keys as plain values, for snapshots: what comes back is equal to what went in, and has the same hash.

The wire knows lists but neither tuples nor sets, and a list is no key; and it ends at whole numbers of 64 bits.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

import numpy as np

from rxml.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_WHOLE: Final = 1 << 63
_PLAIN: Final = frozenset({str, bytes, bool, float, timedelta, type(None)})

_TEXTS: Final[dict[type[Any], tuple[str, Callable[[Any], str], Callable[[str], Any]]]] = {
    UUID: ("uuid", str, UUID),
    datetime: ("datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("date", date.isoformat, date.fromisoformat),
    Decimal: ("decimal", str, Decimal),
}
"""Types whose values a text says exactly: its name, and the ways there and back."""

_BACK: Final[dict[str, Callable[[str], Any]]] = {
    "int": int,
    **{name: back for name, _, back in _TEXTS.values()},
}
_MAKERS: Final[dict[str, Callable[[Any], Any]]] = {
    "tuple": lambda parts: tuple(map(_restored, parts)),
    "frozenset": lambda parts: frozenset(map(_restored, parts)),
}


def to_plain(keys: list[Any]) -> list[Any]:
    """Keys as values that msgpack and `rxml.wire` take, in a new list.

    Raises:
        CheckpointError: a key of a type whose values cannot be said exactly.
    """
    return [key if type(key) in _PLAIN else _plain(key) for key in keys]


def from_plain(keys: Sequence[Any]) -> list[Any]:
    """The keys that `to_plain` was given; a text or a number in place of a member of an enum that is equal to it."""
    return [_restored(key) for key in keys]


def _plain(key: Any) -> Any:
    kind: type[Any] = key.__class__
    if kind in _PLAIN:
        return key
    if kind is int:
        # msgpack ends at 64 bits; no key is a dict, so this is no other key
        return key if -_WHOLE <= key < _WHOLE else {"int": [str(key)]}
    if isinstance(key, tuple | frozenset):
        parts = cast("Iterable[Any]", key)
        name = "tuple" if isinstance(key, tuple) else "frozenset"
        return {name: list(map(_plain, parts))}
    if kind in _TEXTS:
        name, text, _ = _TEXTS[kind]
        return {name: [text(key)]}
    return _equal(key) if not issubclass(kind, np.generic) else key


def _equal(key: Any) -> Any:
    """The text or number that a value of another type is for any dict."""
    plain: Any = None
    if isinstance(key, str):
        plain = str.__str__(key)
    elif isinstance(key, int):
        plain = int.__index__(key)
    if plain is None or plain != key or hash(plain) != hash(key):
        raise CheckpointError(
            f"the key {key!r} ({type(key).__name__}) cannot be saved: give key_by a text, a number, bytes, a date, a UUID or "
            "a tuple of these"
        )
    return _plain(plain)


def _restored(key: Any) -> Any:
    if not isinstance(key, dict):
        return key
    ((kind, parts),) = cast("dict[str, list[Any]]", key).items()
    if kind in _MAKERS:
        return _MAKERS[kind](parts)
    return _BACK[kind](parts[0])
