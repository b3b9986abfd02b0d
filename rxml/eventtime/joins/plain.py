"""Plain values: what snapshots keep of elements and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.batch.row import Row

if TYPE_CHECKING:
    from collections.abc import Hashable


def plain(item: Any) -> Any:
    """The element as a value that the wire takes; the rows of batches become dicts, which equal them."""
    return dict(item) if isinstance(item, Row) else item


def hashable(key: Any) -> Hashable:
    """The key; msgpack gives tuples as lists."""
    return tuple(map(hashable, key)) if key.__class__ is list else key
