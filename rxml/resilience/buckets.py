"""TokenBuckets: a token bucket for each key, for a bounded number of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rxml.resilience.bucket import TokenBucket
from rxml.resilience.keyed import Keyed
from rxml.resilience.numbers import require_above

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


class TokenBuckets:
    """What each key may take: `rate * weight(key)` tokens a second, up to `burst * weight(key)` at once.

    A key that is new, or was forgotten, has a full bucket. Where there are more keys than room, the one that was used
    longest ago is forgotten: choose `keys` so large that this takes longer than a bucket needs to fill.

    Args:
        rate: tokens a second, > 0.
        burst: tokens that a bucket holds, > 0.
        keys: keys that are remembered, >= 1.
        weight: of a key, > 0; None: 1 for each.

    Raises:
        ValueError: a number out of its range.
    """

    __slots__ = ("_buckets", "_burst", "_rate", "_weight")

    def __init__(
        self,
        rate: float,
        burst: float = 1.0,
        *,
        keys: int = 10_000,
        weight: Callable[[Hashable], float] | None = None,
    ) -> None:
        self._rate = require_above("TokenBuckets(rate)", rate)
        self._burst = require_above("TokenBuckets(burst)", burst)
        self._weight = weight
        self._buckets: Keyed[TokenBucket] = Keyed(keys)

    def of(self, key: Hashable) -> TokenBucket:
        """The bucket of the key.

        Raises:
            ValueError: the key's weight is not > 0 and finite.
        """
        bucket = self._buckets.get(key)
        if bucket is None:
            weight = 1.0 if self._weight is None else self._weight(key)
            require_above(f"TokenBuckets: the weight of the key {key!r}", weight)
            bucket = TokenBucket(1 / (self._rate * weight), self._burst * weight)
            self._buckets.put(key, bucket)
        return bucket

    def __len__(self) -> int:
        return len(self._buckets)
