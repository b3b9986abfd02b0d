"""The hashing trick: categories and bags of words as vectors of a fixed width, without a vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from typing_extensions import override

from rxml.errors import SchemaError
from rxml.features.checks import whole
from rxml.features.transform import ColumnTransform
from rxml.hashes import mixed, of_numbers, of_object, of_times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rxml.features.transform import Found, Rows

_SEED: Final = 0xC0AC29B7C97C50DD  # the digits of pi: a seed of 0 does not leave the hash as it is
_SIGN: Final = np.uint64(63)


def buckets(
    hashes: NDArray[np.uint64], width: int, seed: int = 0
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Where each hash goes and with which sign: the sparse form of the hashing trick.

    Args:
        hashes: 64 bits each, as from `rxml.hashes`, shape (n,).
        width: how many places there are, at least 1.
        seed: 0 to 2**64 - 1; hashes that collide under one seed need not under another.

    Returns:
        Places from 0 to width - 1, and signs of 1.0 or -1.0, from bits that do not depend on one another.
    """
    bits = mixed(hashes, seed ^ _SEED)
    places = (bits % np.uint64(width)).astype(np.intp)
    return places, 1.0 - 2.0 * (bits >> _SIGN).astype(np.float64)


class FeatureHasher(ColumnTransform):
    """A vector for each row, to which each of its tokens adds 1 or -1 (or its weight, so signed) at a place that its hash tells; part: `hashed`, (n, width).

    With signs a collision adds nothing on average: the dot product of two hashed rows has the dot product of the rows
    as its mean over seeds (Weinberger, Dasgupta, Langford, Smola, Attenberg, "Feature Hashing for Large Scale Multitask
    Learning", ICML 2009). The hash is that of `rxml.hashes`: the same in every process. Nothing is learned.

    A row is one token (a str, bytes, number, date, UUID, or a tuple of such), a list or set of tokens (each as often as
    it is there), or a mapping from tokens to finite weights. A row of None or NaN is missing, and 0 throughout.

    Args:
        column: the name of the column.
        width: of the vectors, at least 1. They are dense: a batch takes 8 * width bytes a row.
        seed: give columns that are added up different ones.
        keys: how many slots to begin with; they do not matter.

    Raises:
        ValueError: width or seed is out of its bounds.
    """

    width: int
    seed: int

    def __init__(self, column: str, width: int, *, seed: int = 0, keys: int = 1) -> None:
        self.width, self.seed = whole("width", width), whole("seed", seed, 0)
        if seed >= 2**64:
            raise ValueError(f"seed must be below 2**64, got {seed}")
        options = {"width": width, "seed": seed}
        super().__init__(column, ("hashed",), options, keys=keys)

    @override
    def check(self, x: Any, slots: Any = None, *, y: Any = None, time: Any = None) -> None:
        self._tokens(self._rows(x, slots, None, time).values)

    @override
    def _save(self) -> dict[str, Any]:
        return {}

    @override
    def _load(self, state: Mapping[str, Any], keys: int) -> None:
        """There is nothing that it could have learned."""

    @override
    def _held(self, rows: Rows) -> Found:
        return ()

    @override
    def _advance(self, rows: Rows) -> Found:
        return ()

    @override
    def _emit(self, rows: Rows, found: Found) -> tuple[NDArray[np.float64]]:
        owners, hashes, weights = self._tokens(rows.values)
        where, signs = buckets(hashes, self.width, self.seed)
        n = len(rows.values)
        flat: NDArray[Any] = np.bincount(
            owners * self.width + where, weights * signs, n * self.width
        )
        return (flat.reshape(n, self.width),)

    def _tokens(
        self, x: NDArray[Any]
    ) -> tuple[NDArray[np.intp], NDArray[np.uint64], NDArray[np.float64]]:
        """The row, hash and weight of each token."""
        if x.dtype.kind in "biuf":
            there = np.flatnonzero(~np.isnan(x) if x.dtype.kind == "f" else np.ones(len(x), bool))
            return there, of_numbers(x[there]), np.ones(len(there))
        if x.dtype.kind in "mM":
            there = np.flatnonzero(~np.isnat(x))
            fine = x[there].astype(f"{x.dtype.kind}8[ns]").view(np.int64)
            return there, of_times(fine), np.ones(len(there))
        return self._objects(x.tolist())

    def _objects(
        self, items: list[Any]
    ) -> tuple[NDArray[np.intp], NDArray[np.uint64], NDArray[np.float64]]:
        known: dict[Any, int] = {}
        owners: list[int] = []
        hashes: list[int] = []
        weights: list[float] = []
        for row, item in enumerate(items):
            try:
                for token, weight in _bag(item):
                    if token not in known:
                        known[token] = of_object(token)
                    owners.append(row)
                    hashes.append(known[token])
                    weights.append(weight)
            except (TypeError, ValueError) as error:
                text = f"row {row}: column {self.column!r} is {item!r}"
                raise SchemaError(f"{text}, which cannot be hashed: {error}") from error
        return np.array(owners, np.intp), np.array(hashes, np.uint64), np.array(weights, np.float64)


def _bag(item: Any) -> Iterator[tuple[Any, float]]:
    if isinstance(item, Mapping):
        for token, weight in cast("dict[Any, Any]", item).items():
            if not np.isfinite(weight):
                raise ValueError(f"the weight of {token!r} is {weight!r}")
            yield token, float(weight)
    elif isinstance(item, list | set | frozenset):
        yield from ((token, 1.0) for token in cast("list[Any]", item))
    elif item is not None and item == item:  # noqa: PLR0124 - NaN is not itself
        yield item, 1.0
