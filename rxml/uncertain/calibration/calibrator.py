"""Calibrator: what issues radii, and learns from the scores of labels that come later, for many keys at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]

RADIUS: Final = 0
"""The column of what was issued that holds the radius."""

Unbounded: TypeAlias = Literal["inf", "max"] | float
"""What is issued where scores so far bound nothing: infinity, the largest score, or a number above which no radius is.

With "inf" a miscoverage level of 1 or more issues -inf, which holds nothing; with "max" it is the smallest score.
Only "inf" keeps the bounds on long-run coverage that hold for any sequence.
"""


class Calibrator(Protocol):
    """Radii for scores: the set {y: score(y) <= radius} is to hold the truth in the share `level` of cases.

    Each key (sensor, customer) has a slot, counted from 0. A prediction keeps the row that was issued for it until
    its label comes, however late and in whatever order: what is learnt is whether that radius held. Calls take rows
    whose slots may repeat, and mean the same as if the rows came one by one, to the last bit.
    """

    @property
    def width(self) -> int:
        """How many numbers are issued, and to be kept, for a prediction."""
        ...

    @property
    def keys(self) -> int:
        """How many slots there are."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes that the state takes up."""
        ...

    def issue(self, slots: ArrayLike) -> Floats:
        """What holds now, of shape (n, width): column `RADIUS` is the radius, the rest is for `update`. Changes nothing.

        Args:
            slots: (n,) whole numbers below `keys`; they may repeat.
        """
        ...

    def update(self, slots: ArrayLike, scores: ArrayLike, issued: ArrayLike) -> None:
        """Labels have come: learn from their scores.

        Args:
            slots: (n,) of the predictions.
            scores: (n,) of the labels, each against its own prediction.
            issued: (n, width) what `issue` gave for those predictions.
        """
        ...

    def grow(self, keys: int) -> None:
        """Have at least so many slots; new ones know nothing."""
        ...

    def forget(self, slots: ArrayLike) -> None:
        """Know nothing of these keys any more: their slots may be given to others."""
        ...

    def snapshot(self) -> dict[str, Any]:
        """The state, of numbers and arrays; later updates do not change it."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Be as when that was taken, by one of the same configuration."""
        ...


def require_level(level: float) -> float:
    """A level of coverage.

    Raises:
        ValueError: not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}: give the share to be covered, above 0 and below 1")
    return float(level)


def require_positive(name: str, value: float, most: float = np.inf) -> float:
    """A finite number above 0, and at most `most`.

    Raises:
        ValueError: it is none.
    """
    if not (0 < value <= most and np.isfinite(value)):
        limit = "finite" if most == np.inf else f"at most {most:g}"
        raise ValueError(f"{name} is {value!r}: give a number above 0, {limit}")
    return float(value)


def require_count(name: str, value: int, least: int = 1) -> int:
    """A whole number of at least `least`.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or value < least or value != int(value):
        raise ValueError(f"{name} is {value!r}: give a whole number of at least {least}")
    return int(value)


def require_unbounded(value: Unbounded) -> Unbounded:
    """A policy for radii that scores so far do not bound.

    Raises:
        ValueError: neither "inf" nor "max" nor a finite number.
    """
    named = isinstance(value, str) and value in {"inf", "max"}
    number = isinstance(value, (int, float)) and np.isfinite(value)
    if not (named or number) or isinstance(value, bool):
        text = 'give "inf", "max" (the largest score), or the largest radius as a number'
        raise ValueError(f"on_unbounded is {value!r}: {text}")
    return value
