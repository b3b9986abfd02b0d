"""Rendezvous: which arm an id goes to, by nothing but the id and the weights."""

from __future__ import annotations

from hashlib import blake2b
from math import inf, log
from operator import index
from typing import TYPE_CHECKING, Any, Final, SupportsIndex

from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALL: Final = (1 << 64) - 1


class Rendezvous:
    """Weighted rendezvous hashing: of all arms the one whose -ln(u) / weight is smallest, u a hash of id and arm in (0, 1).

    An arm gets a share of ids as large as its weight's of all weights, the same ids in every process. Nothing is kept for an
    id, and few move when weights change: where one weight rises, ids move to that arm only; and whatever changes, of all ids
    at most 2 d / (1 + d) move, d being the half sum of what shares change by. No way that looks at nothing but id and weights
    can promise less (Schindelhauer and Schomaker, SPAA 2005; Bavarian et al., "Optimality of Correlated Sampling", 2016).

    Args:
        names: of the arms; an arm of another name gets other ids.
        seed: key of the hash (BLAKE2b), 0 <= seed < 2^64; another one parts ids in another way, and who does not know it
            cannot choose an id for an arm.

    Raises:
        ValueError: a seed out of its range.
    """

    __slots__ = ("_key", "_salts")

    def __init__(self, names: Sequence[str], seed: int = 0) -> None:
        if not 0 <= seed <= _ALL:
            raise ValueError(f"wants a seed of 64 bits, 0 <= seed < 2^64, got {seed}")
        self._key = seed.to_bytes(8, "little")
        self._salts = [self._hash(name, b"arm") for name in names]

    def hashes(self, ids: Sequence[Any]) -> list[int]:
        """A hash of each id.

        Raises:
            SchemaError: an id is neither a text nor a whole number.
        """
        return [self._hash(text_of(each), b"id") for each in ids]

    def _hash(self, text: str, person: bytes) -> int:
        data = text.encode(errors="surrogatepass")
        digest = blake2b(data, digest_size=8, key=self._key, person=person).digest()
        return int.from_bytes(digest, "little")

    def pick(self, hashed: int, weights: Sequence[float]) -> int:
        """The number of the arm.

        Args:
            hashed: of the id.
            weights: one for each arm, >= 0, one of them > 0.
        """
        least, best = inf, 0
        for at, weight in enumerate(weights):
            if weight > 0:
                score = -log((_mixed(hashed ^ self._salts[at]) + 0.5) * 2.0**-53) / weight
                if score < least:
                    least, best = score, at
        return best


def text_of(key: object) -> str:
    """The id as text: a number is its digits.

    Raises:
        SchemaError: it is neither a text nor a whole number.
    """
    if isinstance(key, str):
        return key
    if isinstance(key, SupportsIndex):
        return str(index(key))
    raise SchemaError(
        f"an id is a text or a whole number, got {type(key).__name__}: let `key` give one, such as str(...)"
    )


def _mixed(x: int) -> int:
    """53 bits of a 64-bit number, each dependent on all (the finalizer of splitmix64; Steele et al., OOPSLA 2014)."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _ALL
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _ALL
    return (x ^ (x >> 31)) >> 11
