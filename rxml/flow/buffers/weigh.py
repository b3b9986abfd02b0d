"""The memory that elements hold, in bytes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rxml.memory import FLAT, LEVELS, parts

if TYPE_CHECKING:
    from collections.abc import Sequence


def weigh(elements: Sequence[Any]) -> int:
    """Bytes that the elements hold: arrays and flat values exactly, containers down to four levels.

    Shared objects count each time that they are met, so that the answer errs upwards. O(objects met).
    """
    exact = getattr(elements, "nbytes", None)
    if exact is not None:
        return int(exact)
    if FLAT.issuperset(set(map(type, elements))):
        return sum(map(sys.getsizeof, elements))
    return sum(_deep(element, LEVELS) for element in elements)


def _deep(value: Any, levels: int) -> int:
    exact = getattr(value, "nbytes", None)
    if isinstance(exact, int):
        return exact + 112
    own = sys.getsizeof(value)
    if type(value) in FLAT or levels == 0:
        return own
    return own + sum(_deep(part, levels - 1) for part in parts(value))
