"""Comparing: whether two results are the same, where `==` is not enough."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import starmap
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable


def same(one: Any, other: Any) -> bool:
    """True if two results are equal, in which NaN equals NaN and containers are compared part by part.

    Exceptions are the same if type and arguments are; arrays if dtype, shape and content are.
    """
    if one is other:
        return True
    if isinstance(one, float) and isinstance(other, float) and one != one:  # noqa: PLR0124 - NaN
        return other != other  # noqa: PLR0124 - NaN
    if isinstance(one, BaseException) or isinstance(other, BaseException):
        return type(one) is type(other) and same(one.args, other.args)
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return _same_arrays(one, other)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return type(one) is type(other) and _same_sequences(one, other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return _same_mappings(one, other)
    return bool(one == other)


def _same_arrays(one: Any, other: Any) -> bool:
    if not isinstance(one, np.ndarray) or not isinstance(other, np.ndarray):
        return False
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return _same_sequences(one.ravel().tolist(), other.ravel().tolist())


def _same_sequences(one: Any, other: Any) -> bool:
    return len(one) == len(other) and all(starmap(same, zip(one, other, strict=True)))


def _same_mappings(one: Any, other: Any) -> bool:
    return len(one) == len(other) and all(
        key in other and same(value, other[key]) for key, value in one.items()
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
            extra.append(cast("Any", element))
    return extra
