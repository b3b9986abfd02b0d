"""rows_ws: rows to a model and its answers back over one WebSocket, in msgpack batches of 256, and one by one.

By hand, the client counts the rows under way; with `rxml.v1` the server asks for them.
"""

from __future__ import annotations

import sys
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.serving.measure import TOLERANCE, WrongAnswerError
from benchmarks.serving.process import free_port, pinned, serving
from benchmarks.serving.rows import probability, rows
from benchmarks.serving.websocket import Talk, Talker

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH: Final = 256
BATCHES: Final = 4
WINDOW: Final = 4096
"""Rows under way at most; a server of rxml is told so, its own default being 256."""

SECONDS: Final = 2.0
SINGLES: Final = 512
SINGLE_SHARE: Final = 50
"""Of so many rows in batches, one goes alone: each kind takes about as long."""

_MOST: Final = 2**31 - 1


@cache
def messages(size: int) -> tuple[Any, ...]:
    """Rows in batches of that size; a single row is a map."""
    import numpy as np  # noqa: PLC0415

    from rxml.batch import Batch  # noqa: PLC0415

    if size == 1:
        return tuple({"features": row} for row in rows(SINGLES))
    table = np.array(rows(BATCH * BATCHES))
    return tuple(Batch({"features": part}) for part in np.split(table, BATCHES))


def by_hand(size: int) -> Talk:
    """A message is a batch or a row, its answer another."""
    from rxml.wire import dumps  # noqa: PLC0415

    path = "/single" if size == 1 else "/batches"
    sent = [dumps(message) for message in messages(size)]
    return Talk(path, "", (), sent, size, lambda _: (size, size), WINDOW)


def by_protocol(size: int) -> Talk:
    """The frames of `rxml.v1+msgpack`."""
    from rxml.wire import dumps, loads  # noqa: PLC0415

    def heard(message: bytes) -> tuple[int, int]:
        frame = loads(message)
        if frame["type"] in {"error", "reject"}:
            raise WrongAnswerError(str(frame))
        answered = len(frame["items"]) if frame["type"] == "next" else 0
        return answered, frame["n"] if frame["type"] == "request" else 0

    opening = [{"type": "hello"}, {"type": "subscribe", "id": 1, "n": _MOST}]
    frames = [
        {"type": "next", "id": 1, "items": [each] if size == 1 else each} for each in messages(size)
    ]
    return Talk(
        "/predict",
        "rxml.v1+msgpack",
        [dumps(frame) for frame in opening],
        [dumps(frame) for frame in frames],
        size,
        heard,
        0,
    )


def values(message: bytes, *, framed: bool) -> list[float]:
    """The answers in a message of the server, in a frame of `rxml.v1` or as they are."""
    from rxml.batch import Batch  # noqa: PLC0415
    from rxml.wire import loads  # noqa: PLC0415

    said: Any = loads(message)
    items: Any = said["items"] if framed else said
    if isinstance(items, Batch):
        return [float(value) for value in items["value"]]
    return [float(each["value"]) for each in (items if framed else [items])]


def check(kept: list[bytes], count: int, *, framed: bool) -> None:
    """Look at the first answers, which are in order.

    Raises:
        WrongAnswerError: one is wrong.
    """
    said = [value for message in kept for value in values(message, framed=framed)][:count]
    for number, (row, value) in enumerate(zip(rows(count), said, strict=True)):
        if not abs(value - probability(row)) <= TOLERANCE:
            raise WrongAnswerError(f"row {number}: must be {probability(row)}, got {value}")


def talked(module: str, talk: Callable[[int], Talk], size: int) -> Outcome:
    """So many rows in batches, and a fiftieth of them one by one; seconds are those of the batches."""
    port = free_port()
    command = (sys.executable, "-m", f"benchmarks.peers.{module}", "--port", str(port))
    taken: dict[int, float] = {}
    with serving(command, port) as server, pinned():
        for each, count in ((BATCH, BATCH * BATCHES), (1, SINGLES)):
            talker = Talker(port, talk(each))
            talker.run(count)
            talker.close()
            check(talker.kept, count, framed=bool(talk(each).protocol))
            talker = Talker(port, talk(each))
            done, seconds = talker.run(
                max(BATCH, size if each > 1 else size // SINGLE_SHARE), SECONDS
            )
            talker.close()
            taken[each] = seconds / done
        server.check()
    total = sum(map(probability, rows(BATCH * BATCHES)))
    return Outcome(round(total, 6), {"seconds": size * taken[BATCH], "single_seconds": taken[1]})


CASE = Case(
    name="rows_ws",
    what="rows of 20 features and answers over one WebSocket, msgpack, batches of 256 and single rows",
    limit="an aiohttp WebSocket loop by hand, with the same codec and model",
    size=5_000_000,
    quick=500_000,
    unit="rows",
    contestants={
        "rxml": Contestant(
            partial(talked, "ours", by_protocol), "App.predict of score(model), rxml.v1+msgpack"
        ),
        "hand": Contestant(
            partial(talked, "socket_by_hand", by_hand), "aiohttp, decode, numpy, encode"
        ),
    },
    musts=(Must("speed", "hand", 0.6), Must("cost", "hand", 2.0, "single_seconds")),
    shown=("seconds", "single_seconds"),
    most_rounds=3,
)
