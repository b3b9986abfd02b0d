"""Draws: random numbers that follow from a seed, a variable, a fact and a world, and from nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.special import ndtri

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.checks import Floats

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_MASK: Final = (1 << 64) - 1
_EXACT: Final = float(1 << 53)


@dataclass(frozen=True, slots=True)
class Draws:
    """A set of worlds: how many there are, and the seed that everything in them follows from.

    A number depends on (seed, variable, fact id, world) alone: a replay, a retry, another batch, another partitioning
    and another machine draw the same. Different variables of one fact are independent; the same variable of the
    same fact is the same number wherever it is asked for, so columns made with equal draws are in the same worlds.

    Each row's numbers are stratified: one falls into each W-th part of [0, 1), in an order of its own, which takes
    most of the sampling noise out of the means of a row (McKay, Beckman and Conover, 1979).

    Args:
        seed: any int of 64 bits.
        worlds: how many worlds W, at least 1.
    """

    seed: int
    worlds: int = 128

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 1 << 64:
            raise ValueError(f"a seed is an int of 64 bits, at least 0; got {self.seed}")
        if self.worlds < 1:
            raise ValueError(f"there is at least one world; got {self.worlds}")

    @property
    def key(self) -> NDArray[np.uint64]:
        """What tells these worlds from others: the seed."""
        return np.array(self.seed, np.uint64)

    def uniform(self, variable: str, ids: ArrayLike) -> Floats:
        """Numbers within (0, 1), shape (W, N) for ids of shape (N,), and (W,) for one id.

        Args:
            variable: its name.
            ids: of the facts: whole numbers or strings.
        """
        bits = self._bits(variable, ids)
        within = (_mixed(bits + _GOLDEN) >> np.uint64(11)).astype(np.float64) + 0.5
        return (_ranks(bits) + within / _EXACT) / self.worlds

    def normal(self, variable: str, ids: ArrayLike) -> Floats:
        """Standard normal numbers, as `uniform`."""
        return ndtri(self.uniform(variable, ids))

    def _bits(self, variable: str, ids: ArrayLike) -> NDArray[np.uint64]:
        stem = _mixed(_mixed(self.key + _GOLDEN) ^ np.uint64(_hash(variable.encode())))
        facts = _mixed(numbered(ids) + stem)
        worlds = np.arange(1, self.worlds + 1, dtype=np.uint64) * _GOLDEN
        return _mixed(np.add.outer(worlds, facts))


def _ranks(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Where each number stands among those of its fact, the worlds along the first axis.

    The last bits give way to the number of the world: then it is sorted without indices, several times as fast.
    """
    count = len(bits)
    last = np.uint64((1 << max(1, (count - 1).bit_length())) - 1)
    number = np.arange(count, dtype=np.uint64)
    keyed = (np.ascontiguousarray(np.moveaxis(bits, 0, -1)) & ~last) | number
    order = (np.sort(keyed, axis=-1) & last).astype(np.intp)
    ranks = np.empty_like(keyed)
    np.put_along_axis(ranks, order, np.broadcast_to(number, order.shape), axis=-1)
    return np.moveaxis(ranks, -1, 0)


def numbered(ids: ArrayLike) -> NDArray[np.uint64]:
    """Ids of facts as 64 bits each: whole numbers as they are, text and bytes by a hash that is the same everywhere.

    Raises:
        DistributionError: they are neither.
    """
    array = np.asarray(ids)
    if array.dtype.kind in "iu":
        return array.astype(np.uint64)
    if array.dtype.kind in "USOT":
        flat = np.fromiter(_hashes(array.ravel().tolist()), np.uint64, array.size)
        return flat.reshape(array.shape)
    raise DistributionError(f"ids of facts are whole numbers or text; got {array.dtype}")


def _hashes(ids: Iterable[Any]) -> Iterable[int]:
    return map(_number, ids)


def _number(each: object) -> int:
    match each:
        case str():
            return _hash(each.encode("utf-8", "surrogatepass"))
        case bytes():
            return _hash(each)
        case int() if not isinstance(each, bool):
            return each & _MASK  # as in an array of them
        case _:
            text = f"ids of facts are whole numbers or text; got {each!r}"
            raise DistributionError(text)


def _hash(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of splitmix64 (Steele, Lea and Flood, 2014): each bit of the input moves half of the output."""
    with np.errstate(over="ignore"):
        bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
        bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))
