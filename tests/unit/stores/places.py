"""A pipeline with a sink, and what lies in a database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import rxml
from rxml import operators as ops
from rxml.stores import Checkpoint

if TYPE_CHECKING:
    from rxml import Flowable
    from rxml.stores.sqlstore import SqlStore

SUMS: Final = [sum(range(n + 1)) for n in range(20)]


def _add(a: int, b: int) -> int:
    return a + b


def summed(store: SqlStore, die_at: int | None = None) -> Flowable[int]:
    """`SUMS`, stored; it dies behind one of them."""

    def perhaps_die(total: int) -> None:
        if total == die_at:
            raise RuntimeError

    return rxml.range(20).pipe(ops.scan(_add), store.sink("sums"), ops.do_action(perhaps_die))


def each(store: Any, elements: int, name: str = "main") -> Checkpoint:
    """A checkpoint behind so many elements."""
    return Checkpoint(store, every=None, elements=elements, name=name)


def selected(store: SqlStore, text: str) -> list[tuple[Any, ...]]:
    """What comes of some SQL."""

    async def main() -> list[tuple[Any, ...]]:
        await store.database.lease()
        try:
            return await store.database.submit(lambda ledger: ledger.execute(text))
        finally:
            await store.database.leave()

    return asyncio.run(main())
