"""Comparing: whether two results are the same, where `==` is not enough."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import starmap
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def same(one: Any, other: Any) -> bool:
    """True if two results are equal, in which NaN equals NaN and containers are compared part by part.

    Exceptions are the same if type and arguments are; arrays if dtype, shape and content are.
    """
    if one is other:
        return True
    if isinstance(one, float) and isinstance(other, float):
        return _same_floats(one, other)
    for kind, compare in _RULES:
        if isinstance(one, kind) or isinstance(other, kind):
            return isinstance(one, kind) and isinstance(other, kind) and compare(one, other)
    return bool(one == other)


def _same_floats(one: Any, other: Any) -> bool:
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124 - NaN


def _same_errors(one: Any, other: Any) -> bool:
    return type(one) is type(other) and same(one.args, other.args)


def _same_arrays(one: Any, other: Any) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return _same_sequences(one.ravel().tolist(), other.ravel().tolist())


def _same_series(one: Any, other: Any) -> bool:
    return type(one) is type(other) and _same_sequences(one, other)


def _same_sequences(one: Any, other: Any) -> bool:
    return len(one) == len(other) and all(starmap(same, zip(one, other, strict=True)))


def _same_mappings(one: Any, other: Any) -> bool:
    return len(one) == len(other) and all(
        key in other and same(value, other[key]) for key, value in one.items()
    )


_RULES: Final[tuple[tuple[Any, Callable[[Any, Any], bool]], ...]] = (
    (BaseException, _same_errors),
    (np.ndarray, _same_arrays),
    ((list, tuple), _same_series),
    (Mapping, _same_mappings),
)


def same_multiset(one: Iterable[Any], other: Iterable[Any]) -> bool:
    """True if two results hold the same elements, in whatever order. O(n²): elements need not be hashable."""
    return not beyond(one, other) and not beyond(other, one)


def beyond(one: Iterable[Any], other: Iterable[Any]) -> list[Any]:
    """What `one` holds and `other` does not, each as often as it does."""
    left = list(other)
    extra: list[Any] = []
    for element in one:
        for index, candidate in enumerate(left):
            if same(element, candidate):
                del left[index]
                break
        else:
            extra.append(element)
    return extra
