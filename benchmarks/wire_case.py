"""wire: a batch of 1024 rows and 20 float64 columns to bytes and back, beside the same done by hand.

By hand means the least that carries 20 named columns in one message that can be read without knowing them:
to write, each column's `tobytes()`, with the lengths of name and data and the name before it, joined into one
bytes; to read, `frombuffer` and a copy per column, into a dict by name. It has no dtypes, shapes, checks,
limits or alignment. Ours gives views of the message instead of copies; what is added up here is read from them.
"""

from __future__ import annotations

import struct
import time
from collections import deque
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from benchmarks.case import Case, Contestant, Must, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS: Final = 1024
COLUMNS: Final = 20
ROUNDS: Final = 50  # of encoding, then of decoding, before the clock is read
# As in a server's send buffer. Without it the one message is at the end of the heap, and glibc gives its pages
# back and takes them anew each time or never, by what else lies there: that can cost more than encoding.
SENDING: Final = 8
_HEAD: Final = struct.Struct("<HI")


@cache
def columns() -> dict[str, Any]:
    """20 named columns of 1024 normal variates."""
    import numpy as np  # noqa: PLC0415

    generator = np.random.default_rng(7)
    return {f"feature_{number}": generator.normal(size=ROWS) for number in range(COLUMNS)}


def hand_encode(named: dict[str, Any]) -> bytes:
    """The columns as one message, by hand."""
    pieces: list[bytes] = []
    for name, column in named.items():
        encoded, data = name.encode(), column.tobytes()
        pieces += (_HEAD.pack(len(encoded), len(data)), encoded, data)
    return b"".join(pieces)


def hand_decode(message: bytes) -> dict[str, Any]:
    """The columns of such a message, copied out of it."""
    import numpy as np  # noqa: PLC0415

    named: dict[str, Any] = {}
    position = 0
    while position < len(message):
        name_length, length = _HEAD.unpack_from(message, position)
        start = position + _HEAD.size
        position = start + name_length + length
        name = message[start : start + name_length].decode()
        named[name] = np.frombuffer(message, "<f8", length // 8, start + name_length).copy()
    return named


def timed(
    size: int, value: Any, encode: Callable[[Any], bytes], decode: Callable[[bytes], Any]
) -> Outcome:
    """Encode and decode `size` times, in turns, and add up what came back.

    The measures are seconds per batch: `encode_seconds` and `decode_seconds`.
    """
    encoding, decoding, done = 0.0, 0.0, 0
    message = encode(value)
    sending = deque([message], maxlen=SENDING)
    while done < size:
        times = min(ROUNDS, size - done)
        began = time.perf_counter()
        for _ in range(times):
            sending.append(encode(value))
        encoded = time.perf_counter()
        for _ in range(times):
            decode(message)
        decoding += time.perf_counter() - encoded
        encoding += encoded - began
        done += times
    back = decode(sending[-1])
    total = sum(float(back[name].sum()) for name in columns())
    return Outcome(total, {"encode_seconds": encoding / size, "decode_seconds": decoding / size})


def by_hand(size: int) -> Outcome:
    """The least that one can do."""
    return timed(size, columns(), hand_encode, hand_decode)


def rxml(size: int) -> Outcome:
    """Ours, with every check and limit on."""
    from rxml.batch import Batch  # noqa: PLC0415
    from rxml.wire import dumps, loads  # noqa: PLC0415

    return timed(size, Batch(columns()), dumps, loads)


def enveloped(size: int) -> Outcome:
    """Ours, with the batch in a frame such as a WebSocket carries."""
    from rxml.batch import Batch  # noqa: PLC0415
    from rxml.wire import dumps, loads  # noqa: PLC0415

    frame = {"type": "next", "id": 7, "seq": 3, "data": Batch(columns())}
    return timed(size, frame, dumps, lambda message: loads(message)["data"])


def rates(size: int = 2_000) -> dict[str, float]:
    """Batches a second and ratios to the hand-written version (less is better; the bound is 3)."""
    hand, ours = by_hand(size).measures, rxml(size).measures
    return {
        "encode_per_second": 1 / ours["encode_seconds"],
        "decode_per_second": 1 / ours["decode_seconds"],
        "hand_encode_per_second": 1 / hand["encode_seconds"],
        "hand_decode_per_second": 1 / hand["decode_seconds"],
        "encode_ratio": ours["encode_seconds"] / hand["encode_seconds"],
        "decode_ratio": ours["decode_seconds"] / hand["decode_seconds"],
    }


CASE = Case(
    name="wire",
    what="encode and decode a batch of 1024 rows and 20 float64 columns",
    limit="tobytes and join to write, frombuffer and copy to read: what a message of named columns takes",
    size=4_000,
    quick=1_000,
    unit="batches",
    contestants={
        "rxml": Contestant(rxml, "wire.dumps, wire.loads of a Batch, all limits on"),
        "envelope": Contestant(enveloped, "the same within a dict of three fields more"),
        "hand": Contestant(
            by_hand, "tobytes + join, frombuffer + copy, names and lengths by struct"
        ),
    },
    musts=(
        Must("cost", "hand", 3.0, "encode_seconds"),
        Must("cost", "hand", 3.0, "decode_seconds"),
    ),
    shown=("encode_seconds", "decode_seconds"),
    tolerance=1e-12,
)

if __name__ == "__main__":
    for measure, value in rates().items():
        print(f"{measure:24}{value:12.2f}")
