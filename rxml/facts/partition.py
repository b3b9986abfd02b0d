"""Where a fact belongs: a partition found from its id, so that a source that never stops talking burdens them all alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rxml.facts.hashing import hash_of, hashes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def partition_of(fact_id: str, n: int, seed: int = 0) -> int:
    """The partition of a fact: XXH64 of its id, modulo n, unsigned. The same in every process and on every machine.

    Args:
        fact_id: the fact's id. By its key, one source would be one partition's burden.
        n: how many partitions there are, >= 1.
        seed: the key of the hash, 0 <= seed < 2^64.

    Returns:
        A number, 0 <= p < n.

    Raises:
        ValueError: n or seed is out of bounds.
    """
    _check(n, seed)
    return hash_of(fact_id, seed) % n


def partitions_of(fact_ids: Sequence[str], n: int, seed: int = 0) -> NDArray[np.int64]:
    """`partition_of` for a column of m ids: int64 of shape (m,)."""
    _check(n, seed)
    return (hashes_of(fact_ids, seed) % np.uint64(n)).astype(np.int64)


def _check(n: int, seed: int) -> None:
    if n < 1:
        raise ValueError(f"wants n >= 1 partitions, got {n}")
    if not 0 <= seed < 2**64:
        raise ValueError(f"wants a seed of 64 bits, 0 <= seed < 2^64, got {seed}")
