"""Outcomes: what is to be said of a row after the model was asked at all of its points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rxml.uncertain import Normal, Worlds
    from rxml.uncertain.checks import Floats


@dataclass(frozen=True, slots=True)
class Outcome:
    """A distribution a row, and what its variance is made of, shapes (N,), which add up to it.

    Attributes:
        column: `Normal` or `Worlds`.
        inputs: by name; such as are not there have no part in it.
        model: what the model is not sure of.
        residual: what is observed about that.
        together: of the inputs, what none of them has alone; None if that is not told apart.
    """

    column: Normal | Worlds
    inputs: Mapping[str, Floats]
    model: Floats
    residual: Floats
    together: Floats | None = None


def total(parts: Iterable[Any], none: Floats) -> Floats:
    """The sum of some arrays, one after the other, so that a part of 0 changes no bit."""
    for part in parts:
        none = none + part
    return none
