"""Weights: which share of ids each arm gets, changed while answers are given."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from rxml.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Weights:
    """What `ops.split` goes by; `set` changes it at once, for every pipeline that was given it.

    Args:
        weights: by the arm's name, finite and >= 0, one of them > 0. What counts is each one's share of the sum.

    Raises:
        PipelineError: no weights, or something else than numbers.
        ValueError: a weight out of its range, or all of them 0.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = checked(weights)

    @property
    def now(self) -> dict[str, float]:
        """The share of each arm; they sum to 1."""
        return dict(self._weights)

    def set(self, weights: Mapping[str, float]) -> None:
        """From now on these hold; as they were if they are refused.

        Args:
            weights: see above; of the same arms.

        Raises:
            PipelineError: others than these arms, or something else than numbers.
            ValueError: a weight out of its range, or all of them 0.
        """
        shares = checked(weights)
        require_arms(shares, tuple(self._weights))
        self._weights = shares

    def shares(self, arms: Sequence[str]) -> list[float]:
        """The shares, in the order of these arms."""
        return [self._weights[arm] for arm in arms]


def checked(weights: Mapping[str, float]) -> dict[str, float]:
    """The shares that weights stand for, which sum to 1; raises as `Weights` does."""
    if not hasattr(weights, "items") or not weights:
        raise PipelineError(
            f"wants weights by the names of arms, such as {{'a': 0.9, 'b': 0.1}}, got {weights!r}"
        )
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise PipelineError(f"the weight of {name!r} is a number, got {weight!r}")
        if not 0 <= weight < inf:
            raise ValueError(f"the weight of {name!r} is finite and >= 0, got {weight!r}")
    whole = float(sum(weights.values()))
    if not 0 < whole < inf:
        raise ValueError(f"one weight at least is > 0, got {dict(weights)!r}")
    return {name: weight / whole for name, weight in weights.items()}


def require_arms(weights: Mapping[str, float], arms: Sequence[str]) -> None:
    """Raise a PipelineError unless there is a weight for each arm, and for no others."""
    if set(weights) != set(arms):
        raise PipelineError(f"wants weights of {sorted(arms)}, got those of {sorted(weights)}")
