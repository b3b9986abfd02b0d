"""chain: map, filter, map over integers with Python callables."""

from __future__ import annotations

from typing import Any

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.cases.consuming import CHUNK, by_bytewax, by_reactivex, by_rxml


def increment(x: int) -> int:
    """The first stage."""
    return x + 1


def is_kept(x: int) -> bool:
    """The second stage; two of three stay."""
    return x % 3 != 0


def double(x: int) -> int:
    """The third stage."""
    return x * 2


def by_hand(size: int) -> Outcome:
    """The stages over lists of 1024, as one would write them without any library."""
    total = 0
    for start in range(0, size, CHUNK):
        chunk = list(range(start, min(start + CHUNK, size)))
        chunk = list(map(increment, chunk))
        chunk = list(filter(is_kept, chunk))
        total += sum(list(map(double, chunk)))
    return Outcome(total)


def rxml(size: int) -> Outcome:
    """Ours."""
    return by_rxml(
        lambda rxml, ops: rxml.range(size).pipe(
            ops.map(increment), ops.filter(is_kept), ops.map(double)
        )
    )


def reactivex(size: int) -> Outcome:
    """Its fastest source loops synchronously."""
    return by_reactivex(
        lambda rx, ops: rx.from_iterable(range(size)).pipe(
            ops.map(increment), ops.filter(is_kept), ops.map(double)
        )
    )


def bytewax(size: int) -> Outcome:
    """Three operators of one dataflow."""

    def steps(op: Any, numbers: Any) -> Any:
        kept = op.filter("kept", op.map("increment", numbers, increment), is_kept)
        return op.map("double", kept, double)

    return by_bytewax(size, steps)


CASE = Case(
    name="chain",
    what="map, filter, map, Python callables",
    limit="calling three Python functions an element; by hand over lists of 1024 is that and no more",
    size=1_000_000,
    quick=200_000,
    unit="elements",
    contestants={
        "rxml": Contestant(rxml, "range | map | filter | map, request(1024)"),
        "hand": Contestant(by_hand, "list(map), list(filter), list(map) over lists of 1024"),
        "reactivex": Contestant(reactivex, "from_iterable, the same operators"),
        "bytewax": Contestant(bytewax, "the same operators, batches of 1000", "bytewax"),
    },
    musts=(
        Must("speed", "hand", 0.93),
        Must("speed", "reactivex", 3.5),
        Must("speed", "bytewax", 1.5),
    ),
)
