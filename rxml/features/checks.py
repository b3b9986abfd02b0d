"""What configurations and columns of features must be, or an error that says what was wanted and what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.errors import SchemaError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LARGEST: Final = 1e150
_NOT_A_TIME: Final = np.iinfo(np.int64).min  # numpy's NaT


def whole(name: str, value: object, least: int = 1) -> int:
    """An int of at least `least`, or ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return value


def positive(name: str, value: float, most: float = np.inf) -> float:
    """A finite float above 0 and at most `most`, or ValueError."""
    number = float(value)
    if not (0 < number <= most and np.isfinite(number)):
        text = "" if most == np.inf else f" and at most {most}"
        raise ValueError(f"{name} must be a finite number above 0{text}, got {value!r}")
    return number


def one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    """One of the choices, or ValueError."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
    return value


def floats(column: str, values: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers as float64, or SchemaError: NaN is how a number is missing."""
    if values.dtype.kind not in "biuf":
        text = f"column {column!r} holds {values.dtype}"
        raise SchemaError(f"{text}: it must hold numbers, and NaN where one is missing")
    return values.astype(np.float64, copy=False)


def squarable(x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which numbers moments are learned of: those to 1e150, neither NaN nor infinite.

    The square of a greater one may be beyond float64, and would leave an infinite variance behind it.
    """
    return np.abs(x) <= _LARGEST


def nanoseconds(column: str, values: NDArray[Any]) -> NDArray[np.int64]:
    """Event times as int64 nanoseconds since 1970 (UTC), or SchemaError: a time is never missing."""
    if values.dtype.kind == "M":
        values = values.astype("M8[ns]").view(np.int64)
    if values.dtype != np.int64:
        text = f"column {column!r} holds {values.dtype}"
        raise SchemaError(f"{text}: event times are int64 nanoseconds or datetime64")
    missing = np.flatnonzero(values == _NOT_A_TIME)
    if missing.size:
        raise SchemaError(f"column {column!r} has no time in rows {missing[:10].tolist()}")
    return values


def places(slots: NDArray[Any] | None, rows: int, keys: int) -> NDArray[np.intp]:
    """The slot of each row, 0 for all where none are given, or ValueError."""
    if slots is None:
        return np.zeros(rows, np.intp)
    if slots.shape != (rows,) or slots.dtype.kind not in "iu":
        text = f"got slots of shape {slots.shape} and {slots.dtype}"
        raise ValueError(f"{text}: give a whole number for each of {rows} rows")
    if rows and not 0 <= int(slots.min()) <= int(slots.max()) < keys:
        text = f"got slots from {int(slots.min())} to {int(slots.max())}"
        raise ValueError(f"{text}: there are {keys}, counted from 0; grow() makes more")
    return slots.astype(np.intp, copy=False)
