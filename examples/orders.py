"""Orders: a keyed, windowed pipeline that is killed again and again, and comes back as if nothing had been.

Orders of a day lie in a log of facts. A child process sums them up by shop and quarter of an hour. It is killed at moments
that nobody has chosen, and started again; what it has stored in the end is what a process stores that is left in peace.

python examples/orders.py
"""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml import aggregates as agg
from rxml import operators as ops
from rxml import wire
from rxml.batch import Batch
from rxml.eventtime import bounded
from rxml.facts import FactLog
from rxml.stores import Checkpoint, SqliteStore
from rxml.windows import tumbling

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable

ORDERS: Final = 40_000
SHOPS: Final = 25
KILLS: Final = 4
SECOND: Final = 10**9
MORNING: Final = 1_767_312_000 * SECOND


def take_orders(log: FactLog) -> None:
    """Orders of a day, each of which the log hears of up to two minutes late."""
    rng = np.random.default_rng(5)
    placed = MORNING + np.sort(rng.integers(0, 86_400 * SECOND, ORDERS))
    heard = placed + rng.integers(0, 120 * SECOND, ORDERS)
    order = np.argsort(heard)
    shops = np.array([f"shop-{number:02}" for number in range(SHOPS)], object)
    log.append_batch(
        Batch(
            {
                "id": np.array([f"order-{number:06}" for number in order], object),
                "key": shops[rng.integers(0, SHOPS, ORDERS)][order],
                "event_time": placed[order],
                "arrival_time": heard[order],
                "payload.euros": np.round(rng.gamma(2.0, 15.0, ORDERS), 2)[order],
            }
        )
    )


def revenue(log: FactLog, store: SqliteStore) -> Flowable[Any]:
    """What each shop took in a quarter of an hour; rows are stored together with the place in the log."""
    return log.read().pipe(
        ops.with_event_time("event_time", bounded(120)),
        ops.key_by("key"),
        ops.window(tumbling(900)).aggregate(
            orders=agg.count(),
            euros=agg.sum("payload.euros"),
            typical=agg.quantile("payload.euros"),
        ),
        store.sink("revenue"),
    )


async def work(folder: Path, name: str) -> None:
    """Sum up, from where the last process was when it died."""
    store = SqliteStore(folder / f"{name}.db")
    async with FactLog(folder / "orders.db", read_only=True) as log:
        flow = revenue(log, store).pipe(ops.do_action(told))
        await flow.run(checkpoint=Checkpoint(store, every=0.02, name="revenue"))


def told(row: Any) -> None:
    """A child says that a row is written, so that its parent knows when to pull the plug."""
    if len(sys.argv) > 1:
        print(row["key"], flush=True)


async def stored(folder: Path, name: str) -> list[bytes]:
    """The rows that can be seen, as bytes, so that nothing is like but the same."""
    rows = await SqliteStore(folder / f"{name}.db").read("revenue").to_list()
    return [wire.dumps(dict(row)) for row in rows]


def killed(folder: Path, rows: int) -> bool:
    """Start the work, pull the plug when it has written so many rows, and say whether it was still at work."""
    command = [sys.executable, __file__, str(folder), "killed"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:  # noqa: S603 - this file
        for _ in zip(range(rows), child.stdout or (), strict=False):
            pass
        child.kill()
    return child.returncode == -signal.SIGKILL


async def main() -> None:
    """Two processes' work on the same orders: one is left in peace, the other is killed again and again."""
    rng = random.Random(3)  # noqa: S311 - moments, no secrets
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with FactLog(folder / "orders.db") as log:
            take_orders(log)
        await work(folder, "peace")
        peace = await stored(folder, "peace")
        kills = sum(killed(folder, rng.randrange(1, 600)) for _ in range(KILLS))
        before = len(await stored(folder, "killed"))
        await work(folder, "killed")
        after = await stored(folder, "killed")
    print(f"{ORDERS:,} orders of {SHOPS} shops: {len(peace):,} rows by a process left in peace")
    print(f"pulled the plug {KILLS} times, {kills} of them at work: {before:,} rows so far")
    print(
        f"once more, to the end: {len(after):,} rows; the same to the last byte: {after == peace}"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(work(Path(sys.argv[1]), sys.argv[2]))
    else:
        asyncio.run(main())
