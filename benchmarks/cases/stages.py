"""stages: ten maps in a row, what a stage costs."""

from __future__ import annotations

from typing import Any

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.cases.chain import increment
from benchmarks.cases.consuming import CHUNK, by_aiostream, by_bytewax, by_reactivex, by_rxml

STAGES = 10


def by_hand(size: int) -> Outcome:
    """One list comprehension's worth of `list(map)` a stage, over lists of 1024."""
    total = 0
    for start in range(0, size, CHUNK):
        chunk = list(range(start, min(start + CHUNK, size)))
        for _ in range(STAGES):
            chunk = list(map(increment, chunk))
        total += sum(chunk)
    return Outcome(total)


def rxml(size: int) -> Outcome:
    """Ours."""
    return by_rxml(lambda rxml, ops: rxml.range(size).pipe(*[ops.map(increment)] * STAGES))


def reactivex(size: int) -> Outcome:
    """Ten operators, ten calls deep."""
    return by_reactivex(
        lambda rx, ops: rx.from_iterable(range(size)).pipe(*[ops.map(increment)] * STAGES)
    )


def bytewax(size: int) -> Outcome:
    """Ten operators of one dataflow."""

    def steps(op: Any, numbers: Any) -> Any:
        for stage in range(STAGES):
            numbers = op.map(f"increment_{stage}", numbers, increment)
        return numbers

    return by_bytewax(size, steps)


def aiostream(size: int) -> Outcome:
    """Ten async generators, one behind the other."""

    def build(stream: Any, pipe: Any) -> Any:
        numbers = stream.range(size)
        for _ in range(STAGES):
            numbers |= pipe.map(increment)
        return numbers

    return by_aiostream(build)


CASE = Case(
    name="stages",
    what="ten maps",
    limit="calling ten Python functions an element; by hand over lists of 1024 is that and no more",
    size=200_000,
    quick=50_000,
    unit="elements",
    contestants={
        "rxml": Contestant(rxml, "range | ten maps, request(1024)"),
        "hand": Contestant(by_hand, "ten times list(map) over lists of 1024"),
        "bytewax": Contestant(bytewax, "ten maps, batches of 1000", "bytewax"),
        "reactivex": Contestant(reactivex, "from_iterable, ten maps"),
        "aiostream": Contestant(aiostream, "range, ten maps", "aiostream"),
    },
    musts=(
        Must("speed", "hand", 0.93),
        Must("speed", "bytewax", 1.3),
        Must("speed", "reactivex", 2.5),
        Must("speed", "aiostream", 15),
    ),
)
