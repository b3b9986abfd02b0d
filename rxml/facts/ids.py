"""Ids of facts: collision-free, in the order of time, and the same again where a pipeline is run again."""

from __future__ import annotations

import re
import time
from hashlib import blake2b
from secrets import token_bytes
from typing import Final

_TIME_BYTES: Final = 7  # microseconds until the year 4253
_RANDOM_BYTES: Final = 9
_HEX: Final = re.compile("[0-9a-f]{32}")
_KEY: Final = b"rxml.facts.derived_id"


def new_id() -> str:
    """A new id: 32 hex digits, of which 14 are the microseconds since 1970 and 18 are random.

    Two ids made in one microsecond, anywhere, are equal with a chance of 2^-72. Ids sort as they were made, up to what
    was made in one microsecond, which is what keeps the log's search for duplicates short.
    """
    moment = time.time_ns() // 1000
    return (moment.to_bytes(_TIME_BYTES, "big") + token_bytes(_RANDOM_BYTES)).hex()


def new_ids(n: int) -> list[str]:
    """N new ids, all of one microsecond; for whole columns."""
    prefix = (time.time_ns() // 1000).to_bytes(_TIME_BYTES, "big").hex()
    rest, width = token_bytes(_RANDOM_BYTES * n).hex(), 2 * _RANDOM_BYTES
    return [prefix + rest[at : at + width] for at in range(0, width * n, width)]


def derived_id(name: str, *parent_ids: str) -> str:
    """The id of a fact that a pipeline makes of others: the same whenever it is made of the same.

    A keyed BLAKE2b (RFC 7693) of the name and the parents, 32 hex digits. If the greatest parent looks like an id of
    `new_id`, its time is taken over, so that derived ids sort by time, too.

    Args:
        name: what makes the fact: two stages that make facts of the same parents need two names.
        parent_ids: in an order that is the same each time.
    """
    digest = blake2b(digest_size=16, key=_KEY)
    for part in (name, *parent_ids):
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    made = digest.hexdigest()
    greatest = max(parent_ids, default="")
    if _HEX.fullmatch(greatest):
        return greatest[: 2 * _TIME_BYTES] + made[2 * _TIME_BYTES :]
    return made
