"""Longer: arrays that grow with what is kept in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def longer(array: NDArray[Any], length: int) -> NDArray[Any]:
    """The array with room for so many rows at least; new ones are 0."""
    more = length - len(array)
    if more <= 0:
        return array
    grown: NDArray[Any] = np.concatenate([array, np.zeros(max(more, len(array)), array.dtype)])
    return grown
