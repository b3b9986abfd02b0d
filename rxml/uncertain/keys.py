"""Keys: which draws worlds are of, and what they weigh."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.checks import floats, read_only
from rxml.uncertain.special import logsumexp

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.checks import Floats

_KINDS: Final = "iuUS"
_NEAR: Final = 1e-9


def world_key(world: ArrayLike) -> NDArray[Any]:
    """What tells worlds from others, as an array.

    Raises:
        DistributionError: it is neither whole numbers nor text.
    """
    array = np.asarray(world)
    if array.dtype.kind not in _KINDS:
        raise DistributionError(f"a world is told by whole numbers or text; got {array.dtype}")
    return read_only(array)


def log_weights(logw: ArrayLike, count: int) -> Floats:
    """Log weights of so many worlds, made to add up to one.

    Raises:
        DistributionError: there are more or fewer, none is above -inf, or one is NaN or +inf.
    """
    array = floats("logw", logw)
    if array.shape != (count,):
        raise DistributionError(f"one weight a world: want shape ({count},), got {array.shape}")
    total = logsumexp(array)
    if not np.isfinite(total):
        raise DistributionError("some world must have a weight above 0, and none an infinite one")
    return array if abs(total) < _NEAR * _NEAR else read_only(array - total)


def resampled_key(world: NDArray[Any], chosen: NDArray[np.intp]) -> NDArray[Any]:
    """What tells the worlds that were chosen among others: columns of which the same were chosen are joint."""
    digest = blake2b(world.tobytes() + chosen.astype("<i8").tobytes(), digest_size=8).digest()
    return world_key(np.frombuffer(digest, "<u8"))


def alike(one: NDArray[Any], other: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both with an axis of rows, if one of them has, which the worlds' would be taken for.

    Raises:
        DistributionError: they have other numbers of rows.
    """
    axes = max(one.ndim, other.ndim)
    first, second = (each.reshape(*each.shape, *(1,) * (axes - each.ndim)) for each in (one, other))
    shape = first.shape[1:], second.shape[1:]
    if shape[0] != shape[1] and (1,) not in shape:
        raise DistributionError(f"events differ in length: {shape[0][0]} and {shape[1][0]}")
    rows = np.broadcast_shapes(*shape)
    return (
        np.broadcast_to(first, (len(one), *rows)),
        np.broadcast_to(second, (len(other), *rows)),
    )
