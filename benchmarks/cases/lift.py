"""lift: three operators of reactivex inside a pipeline of ours, beside reactivex alone."""

from __future__ import annotations

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.cases.chain import double, increment, is_kept
from benchmarks.cases.chain import reactivex as bare
from benchmarks.cases.consuming import by_rxml


def rxml(size: int) -> Outcome:
    """Ours around three of theirs."""
    from reactivex import operators as rx  # noqa: PLC0415

    return by_rxml(
        lambda rxml, _: rxml.range(size).pipe(rx.map(increment), rx.filter(is_kept), rx.map(double))
    )


CASE = Case(
    name="lift",
    what="three reactivex operators in an rxml pipe",
    limit="the three operators themselves, fed by reactivex: no backpressure, no asyncio",
    size=300_000,
    quick=60_000,
    unit="elements",
    contestants={
        "rxml": Contestant(rxml, "range | rx.map | rx.filter | rx.map, request(1024)"),
        "reactivex": Contestant(bare, "from_iterable, the same operators"),
    },
    musts=(Must("speed", "reactivex", 0.5),),
)
