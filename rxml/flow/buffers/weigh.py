"""The memory that elements hold, in bytes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FLAT: Final = frozenset({bool, int, float, complex, str, bytes, bytearray, type(None)})
_DEPTH: Final = 4


def weigh(elements: Sequence[Any]) -> int:
    """Bytes that the elements hold: arrays and flat values exactly, containers down to four levels.

    Shared objects count each time that they are met, so that the answer errs upwards. O(objects met).
    """
    exact = getattr(elements, "nbytes", None)
    if exact is not None:
        return int(exact)
    if _FLAT.issuperset(set(map(type, elements))):
        return sum(map(sys.getsizeof, elements))
    return sum(_deep(element, _DEPTH) for element in elements)


def _deep(value: Any, depth: int) -> int:
    exact = getattr(value, "nbytes", None)
    if isinstance(exact, int):
        return exact + 112
    own = sys.getsizeof(value)
    if type(value) in _FLAT or depth == 0:
        return own
    return own + sum(_deep(part, depth - 1) for part in _parts(value))


def _parts(value: Any) -> Iterable[Any]:
    untyped: Any = value
    if isinstance(value, Mapping):
        return chain.from_iterable(untyped.items())
    if isinstance(value, list | tuple | set | frozenset):
        return cast("Iterable[Any]", untyped)
    attributes: dict[str, Any] = getattr(value, "__dict__", {})
    return attributes.values()
