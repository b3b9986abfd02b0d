"""Checks of the numbers that policies are made with."""

from __future__ import annotations

from math import inf


def require_range(
    name: str, value: float, least: float, most: float = inf, *, finite: bool = True
) -> float:
    """The number, if it is in its range.

    Args:
        name: as people read it: `Breaker(window)`.
        value: what was given.
        least: the smallest that is right.
        most: the largest that is right.
        finite: whether infinity is wrong.

    Raises:
        ValueError: it is not; the message names what would be right.
    """
    if least <= value <= most and not (finite and value == inf):
        return value
    bound = f"from {least:g} to {most:g}" if most < inf else f">= {least:g}"
    raise ValueError(f"{name} wants a number {bound}{' and finite' * finite}, got {value!r}")


def require_above(name: str, value: float) -> float:
    """The number, if it is > 0 and finite.

    Raises:
        ValueError: it is not.
    """
    if 0 < value < inf:
        return value
    raise ValueError(f"{name} wants a number > 0 and finite, got {value!r}")
