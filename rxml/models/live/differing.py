"""Differing: what two models say of one element, compared. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose, isnan
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.batch import Batch
from rxml.batch.column import same_value
from rxml.models.signature import TOLD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.models.model import Release


@dataclass(frozen=True, slots=True)
class Difference:
    """An element of which two models do not say the same.

    Attributes:
        element: what both were given.
        answer: of the model, which is what was answered; a Prediction, or a Batch for an element that is one.
        other: of the shadow; None if it failed.
        error: that it failed with, or None.
        shadow: which one the shadow is; None before it has ever answered.
    """

    element: Any
    answer: Any
    other: Any
    error: Exception | None
    shadow: Release | None


class ShadowTally:
    """Counts what became of elements that a shadow was to see.

    Attributes:
        compared: of which both have said something, or the shadow failed.
        different: of these, those that are not the same.
        failed: of these, those that the shadow failed for.
        shed: that it was spared, since it is too slow or the model itself had too much to do.
    """

    __slots__ = ("compared", "different", "failed", "shed")

    def __init__(self) -> None:
        self.compared: int = 0
        self.different: int = 0
        self.failed: int = 0
        self.shed: int = 0


def differ(answer: Any, other: Any, tolerance: float) -> bool:
    """Whether two models give other outputs for one element, by more than the tolerance.

    Args:
        answer: a Prediction, or a Batch.
        other: of the other model.
        tolerance: of numbers, of the larger one, or absolutely for those below 1; >= 0.
    """
    mine, others = _outputs(answer), _outputs(other)
    return mine.keys() != others.keys() or any(
        not _alike(value, others[name], tolerance) for name, value in mine.items()
    )


def _outputs(answer: Any) -> Mapping[str, Any]:
    found = answer.columns if isinstance(answer, Batch) else answer.outputs
    return {name: value for name, value in found.items() if name not in TOLD}


def _alike(value: Any, other: Any, tolerance: float) -> bool:
    if _is(value, Real) and _is(other, Real):
        one, two = float(value), float(other)
        close = isclose(one, two, rel_tol=tolerance, abs_tol=tolerance)
        return close or (isnan(one) and isnan(two))
    if _floats(value) and _floats(other) and value.shape == other.shape:
        return bool(np.allclose(value, other, tolerance, tolerance, equal_nan=True))
    return bool(same_value(value, other))


def _floats(value: Any) -> bool:
    return _is(value, np.ndarray) and value.dtype.kind == "f"


def _is(value: object, kind: type[object]) -> bool:
    """`isinstance`, which leaves what is known of the value as it was."""
    return isinstance(value, kind)
