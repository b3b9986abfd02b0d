"""Windows as the first axis, whether there is one or many."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.checks import Floats

ScalarT = TypeVar("ScalarT", bound=np.generic)


def windowed(array: NDArray[ScalarT], axes: int = 1) -> NDArray[ScalarT]:
    """The same with all axes but the last ones made one, also where some have no length.

    Args:
        array: of at least so many axes.
        axes: how many stay as they are.
    """
    cut = array.ndim - axes
    return array.reshape(prod(array.shape[:cut]), *array.shape[cut:])


def added(codes: NDArray[np.intp], values: Floats, groups: int) -> Floats:
    """The sum of the values of each group, (groups,), row by row in their order; float64 also if there are none."""
    return np.bincount(codes, values, groups).astype(np.float64, copy=False)


def places(n: int) -> NDArray[np.intp]:
    """0 ... n - 1."""
    return np.arange(n, dtype=np.intp)
