"""How the special functions meet numpy: broadcasting, blocks that fit the cache, no warnings.

scipy has all of these functions, and rxml does not use it: 100 MB for a dozen formulas would be heavy where
models are served, and "scipy if it is there" would be two paths, whose last digits differ. With one path a
replay, a test and a machine at the edge compute the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

_BLOCK: Final = 1 << 14
"""Values that are computed at a time: the intermediate arrays of a formula stay in the cache."""


def elementwise(kernel: Callable[..., Floats], *arguments: ArrayLike) -> Floats:
    """The kernel, which takes 1-d arrays of one length, on arguments of any shapes that broadcast.

    Scalars give a scalar (``np.float64``). The kernel may divide by zero and overflow where its formula has
    a limit there: nothing warns.
    """
    arrays = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in arguments))
    flat = [np.ascontiguousarray(each).reshape(-1) for each in arrays]
    out = np.empty(flat[0].size)
    with np.errstate(all="ignore"):
        for start in range(0, out.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            out[block] = kernel(*(each[block] for each in flat))
    return out.reshape(arrays[0].shape)[()]


def horner(coefficients: Sequence[float], x: Floats) -> Floats:
    """The polynomial at x; the coefficient of the highest power first."""
    out = np.full_like(x, coefficients[0])
    for each in coefficients[1:]:
        out *= x
        out += each
    return out
