"""What Python objects hold in memory, for bounds in bytes. Shared objects count each time that they are met."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

FLAT: Final = frozenset({bool, int, float, complex, str, bytes, bytearray, type(None)})
"""Types whose instances refer to nothing."""

LEVELS: Final = 4
"""Containers in one another that are looked into: what contains itself has no end."""

_CONTAINERS: Final = (list, tuple, set, frozenset, deque)


def parts(value: Any) -> Iterable[Any]:
    """The objects that a value refers to: entries of containers, attributes of others, in `__dict__` or in slots.

    Slots are where dataclasses with `slots=True` and the Structs of msgspec keep theirs.
    """
    untyped: Any = value
    if isinstance(value, Mapping):
        return chain.from_iterable(untyped.items())
    if isinstance(value, _CONTAINERS):
        return cast("Iterable[Any]", value)
    attributes: dict[str, Any] = getattr(value, "__dict__", {})
    slots = (getattr(value, name, None) for name in _slots(value.__class__))
    return chain(attributes.values(), slots)


@lru_cache(maxsize=1024)
def _slots(kind: type) -> tuple[str, ...]:
    """The names by which the slots of a class and its bases are read."""
    found: list[str] = []
    for each in kind.__mro__:
        names = each.__dict__.get("__slots__", ())
        for name in [names] if isinstance(names, str) else names:
            private = name.startswith("__") and not name.endswith("__")
            found.append(f"_{each.__name__.lstrip('_')}{name}" if private else name)
    return tuple(name for name in found if name not in {"__dict__", "__weakref__"})
