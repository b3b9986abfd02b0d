"""Identity: ids of elements and labels, which find each other by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from rxml.errors import SchemaError
from rxml.eventtime.reading import read
from rxml.uncertain import Draws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.eventtime.reading import Column
    from rxml.uncertain.calibration.labels import Id

Floats: TypeAlias = NDArray[np.float64]

_KINDS: Final = frozenset((int, str, bytes))
_LOWEST: Final = -(1 << 63)
_END: Final = 1 << 64
_DRAWS: Final = Draws(0, worlds=1)


def ids_of(items: Sequence[Any], column: Column) -> list[Id]:
    """The ids of elements.

    Raises:
        SchemaError: an element has none, or one that is neither text, bytes, nor a whole number of 64 bits.
    """
    found = read(items, column)
    given: list[Any] = found.tolist() if isinstance(found, np.ndarray) else [*map(plain, found)]
    return require_ids(given)


def require_ids(ids: list[Any]) -> list[Id]:
    """The same, if they are ids.

    Raises:
        SchemaError: one is none.
    """
    for each in ids:
        if type(each) not in _KINDS or (type(each) is int and not _LOWEST <= each < _END):
            text = f"got {each!r}, a {type(each).__name__}"
            raise SchemaError(f"an id is a text, bytes, or a whole number of 64 bits; {text}")
    return ids


def uniform(variable: str, ids: Sequence[Id]) -> Floats:
    """A number within (0, 1) for each id, shape (n,): the same for an id wherever and whenever it is asked for.

    Args:
        variable: what it is for: others are independent.
        ids: of elements.
    """
    kinds = set(map(type, ids))
    if kinds == {int}:
        whole = np.array([int(each) % _END for each in ids], np.uint64)
        return _DRAWS.uniform(variable, whole).reshape(-1)
    if len(kinds) == 1:
        return _DRAWS.uniform(variable, list(ids)).reshape(-1)
    apart = [uniform(variable, [each]) for each in ids]
    return np.concatenate(apart) if apart else np.empty(0)


def plain(value: Any) -> object:
    """The Python value of a scalar of numpy; anything else as it is."""
    return cast("object", value.item()) if isinstance(value, np.generic) else value
