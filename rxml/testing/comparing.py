"""Comparing: whether two results are the same, where `==` is not enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import starmap
from math import isclose
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.uncertain.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def same(one: Any, other: Any) -> bool:
    """True if two results are equal, in which NaN equals NaN and containers are compared part by part.

    Exceptions are the same if type and arguments are; arrays if dtype, shape and content are; numbers if their kind is
    (bool, int, float, complex), too: to a reader of JSON or a column, 1, 1.0 and True are not the same.
    """
    if one is other:
        return True
    kind = _number_kind(one)
    if kind is not _number_kind(other):
        return False
    if kind is float:
        return _same_floats(one, other)
    for kind, compare in _RULES:
        if isinstance(one, kind) or isinstance(other, kind):
            return isinstance(one, kind) and isinstance(other, kind) and compare(one, other)
    return bool(one == other)


_KINDS: Final[tuple[tuple[type, tuple[type, ...]], ...]] = (
    (bool, (bool, np.bool_)),
    (int, (int, np.integer)),
    (float, (float, np.floating)),
    (complex, (complex, np.complexfloating)),
)


def _number_kind(value: object) -> type | None:
    """bool, int, float or complex, for those of Python and of numpy; None for what is no such number."""
    if type(value) in {int, float, bool, complex}:
        return type(value)
    return next((kind for kind, kinds in _KINDS if isinstance(value, kinds)), None)


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


def _same_rows(one: Rows, other: Any) -> bool:
    return one.equals(other)  # == gives a probability


_RULES: Final[tuple[tuple[Any, Callable[[Any, Any], bool]], ...]] = (
    (BaseException, _same_errors),
    (np.ndarray, _same_arrays),
    (Rows, _same_rows),
    ((list, tuple), _same_series),
    (Mapping, _same_mappings),
)


def close(one: Any, other: Any) -> bool:
    """`same` up to the rounding of floats, and whatever the type of a series: a list, a tuple, a `Batch`."""
    if _number_kind(one) is float and _number_kind(other) is float:
        return _same_floats(one, other) or isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    for is_one, compare in _LOOSE_RULES:
        if is_one(one) and is_one(other):
            return compare(one, other)
    return same(one, other)


def _close_arrays(one: Any, other: Any) -> bool:
    return bool(one.shape == other.shape) and close(one.ravel().tolist(), other.ravel().tolist())


def _close_series(one: Any, other: Any) -> bool:
    return len(one) == len(other) and all(starmap(close, zip(one, other, strict=True)))


def _close_mappings(one: Any, other: Any) -> bool:
    return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)


def _is_array(value: object) -> bool:
    return isinstance(value, np.ndarray)


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_series(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


_LOOSE_RULES: Final[tuple[tuple[Callable[[object], bool], Callable[[Any, Any], bool]], ...]] = (
    (_is_array, _close_arrays),
    (_is_series, _close_series),
    (_is_mapping, _close_mappings),
)


def copied(value: Any) -> Any:
    """A deep copy, to see later whether somebody has changed the value; the value itself if it has none that is the same."""
    if value is None or type(value) in _UNCHANGING:
        return value
    try:
        copy = deepcopy(value)
        return copy if same(copy, value) else value
    except Exception:  # noqa: BLE001 - what cannot be copied is taken as it is
        return value


_UNCHANGING: Final = frozenset({bool, int, float, complex, str, bytes})


def _silent(kind: Any) -> bool:
    """Whether objects of the type are equal only to themselves."""
    return kind.__eq__ is object.__eq__


def incomparable(one: Iterable[Any], other: Iterable[Any]) -> str | None:
    """The name of the type of two results that differ only because it says nothing of what is equal; None if there is none."""
    for left, right in zip(one, other, strict=False):
        if left is not right and _silent(type(left)) and type(left) is type(right):
            return str(type(left).__name__)
    return None


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
