"""Keys as plain values, for snapshots: the wire knows lists but neither tuples nor sets, and a list is no key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MAKERS: Final[dict[str, type[Any]]] = {"tuple": tuple, "frozenset": frozenset}
_WHOLE: Final = 1 << 63


def to_plain(keys: list[Any]) -> list[Any]:
    """Keys as values that msgpack and `rxml.wire` take, in a new list."""
    return [key if type(key) is str else _plain(key) for key in keys]


def from_plain(keys: Sequence[Any]) -> list[Any]:
    """The keys that `to_plain` was given."""
    return [_restored(key) for key in keys]


def _plain(key: Any) -> Any:
    if isinstance(key, int) and not -_WHOLE <= key < _WHOLE:
        return {"int": [str(key)]}  # msgpack ends at 64 bits
    for kind, maker in _MAKERS.items():
        if isinstance(key, maker):
            parts = cast("Iterable[Any]", key)
            return {kind: list(map(_plain, parts))}  # no key is a dict, so this is no other key
    return key


def _restored(key: Any) -> Any:
    if not isinstance(key, dict):
        return key
    ((kind, parts),) = cast("dict[str, list[Any]]", key).items()
    return int(parts[0]) if kind == "int" else _MAKERS[kind](map(_restored, parts))
