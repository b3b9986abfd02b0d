"""Events of the window cases: a thousand keys, a millisecond apart, each up to four milliseconds out of place.

As rows they need nothing but the standard library, for peers have no numpy. What comes out is looked at when the clock
has stopped, for that would cost more than some contestants do.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeVar

from benchmarks.case import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

SECOND: Final = 1_000_000_000
SPACING: Final = 1_000_000
START: Final = 1_700_000_000 * SECOND
_START: Final = datetime.fromtimestamp(START // SECOND, UTC)
KEYS: Final = 1_000
ROWS: Final = 1024
JITTER_US: Final = 4_000
BOUND_SECONDS: Final = 0.005
BOUND: Final = 5_000_000
"""How far behind the newest an event may come: more than any does, so that none is late."""


@cache
def events(size: int) -> list[dict[str, Any]]:
    """The first events, as rows: `ts` in nanoseconds (whole microseconds), `key`, `value`."""
    return _all_events(size)[:size]


@cache
def _grown() -> tuple[random.Random, list[dict[str, Any]]]:
    return random.Random(5), []


def _all_events(size: int) -> list[dict[str, Any]]:
    generator, made = _grown()
    names = [f"k{number}" for number in range(KEYS)]
    for position in range(len(made), size):
        late = generator.randrange(JITTER_US) * 1_000
        happened = START + position * SPACING - late
        key = names[generator.randrange(KEYS)]
        made.append({"ts": happened, "key": key, "value": generator.random()})
    return made


@cache
def dated_events(size: int) -> list[dict[str, Any]]:
    """The same with `at`, the time as an aware `datetime`, made beforehand for those that want one."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return [
        {**event, "at": epoch + timedelta(microseconds=event["ts"] // 1_000)}
        for event in events(size)
    ]


@cache
def columns(size: int) -> list[dict[str, Any]]:
    """The same as columns, in pieces of 1024 rows: `ts` int64, `key` int64, `value` float64."""
    import numpy as np  # noqa: PLC0415

    rows = events(size)
    times = np.array([row["ts"] for row in rows], np.int64)
    keys = np.array([int(row["key"][1:]) for row in rows], np.int64)
    values = np.array([row["value"] for row in rows])
    return [
        {
            name: column[start : start + ROWS]
            for name, column in (("ts", times), ("key", keys), ("value", values))
        }
        for start in range(0, size, ROWS)
    ]


def checksum(keys: Iterable[int], windows: Iterable[int], means: Iterable[float]) -> float:
    """Of results, in any order: another mean, key or window gives another sum, and so does a result more or less.

    Args:
        keys: their numbers.
        windows: the numbers of the windows, from START on.
        means: what came out.
    """
    return sum(
        (1 + key % 31) * (1 + window % 17) * (1.0 + mean)
        for key, window, mean in zip(keys, windows, means, strict=True)
    )


def clocked(work: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """What the work gives, and the seconds that it alone took, by the clock and of the processor."""
    cpu, began = time.process_time(), time.perf_counter()
    done = work()
    seconds = time.perf_counter() - began
    return done, {"seconds": seconds, "cpu_seconds": time.process_time() - cpu}


def by_bytewax(size: int, *, seconds: int, batch: int, ordered: bool) -> Outcome:
    """Fold the events' mean by key over tumbling windows, on one worker.

    Its own way to wait for late ones is used, by key, with a clock that stands still: else its watermarks go on with the
    machine's time, and in a replay what comes a moment later is late. The events have their `datetime` beforehand.

    Args:
        size: how many events.
        seconds: of a window.
        batch: how many events the source gives at a time.
        ordered: whether the events of a key are put in the order of time first; a mean does not need it.
    """
    operators, testing = import_module("bytewax.operators"), import_module("bytewax.testing")
    windowing = import_module("bytewax.operators.windowing")
    flow = import_module("bytewax.dataflow").Dataflow("benchmark")
    source = testing.TestingSource(dated_events(size), batch_size=batch)
    keyed = operators.key_on("keyed", operators.input("in", flow, source), itemgetter("key"))
    wait = timedelta(seconds=BOUND_SECONDS)
    clock = windowing.EventClock(itemgetter("at"), wait, now_getter=_start)
    tumbling = windowing.TumblingWindower(timedelta(seconds=seconds), _start())
    out = windowing.fold_window(
        "mean", keyed, clock, tumbling, _no_mean, _folded, _merged, ordered=ordered
    )
    results: list[tuple[str, tuple[int, list[Any]]]] = []
    operators.output("out", out.down, testing.TestingSink(results))
    _, measures = clocked(lambda: testing.run_main(flow))
    keys = (int(key[1:]) for key, _ in results)
    windows = (window for _, (window, _) in results)
    means = (total / n for _, (_, (n, total)) in results)
    return Outcome(checksum(keys, windows, means), measures)


def _start() -> datetime:
    return _START


def _no_mean() -> list[Any]:
    return [0, 0.0]


def _folded(state: list[Any], event: dict[str, Any]) -> list[Any]:
    state[0] += 1
    state[1] += event["value"]
    return state


def _merged(left: list[Any], right: list[Any]) -> list[Any]:
    return [left[0] + right[0], left[1] + right[1]]
