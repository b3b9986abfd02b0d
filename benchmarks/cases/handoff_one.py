"""handoff_one: elements from task to task with a demand of one, no help from chunks."""

from __future__ import annotations

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.cases.consuming import by_rxml
from benchmarks.cases.handoff import by_queue


def one_by_one(size: int) -> Outcome:
    """Two tasks around a queue that holds one."""
    return by_queue(size, capacity=1)


def rxml(size: int) -> Outcome:
    """Ours."""
    return by_rxml(lambda rxml, ops: rxml.range(size).pipe(ops.prefetch(1)), demand=1)


CASE = Case(
    name="handoff_one",
    what="producer task to consumer task, demand 1",
    limit="two task switches an element",
    size=50_000,
    quick=10_000,
    unit="elements",
    contestants={
        "rxml": Contestant(rxml, "range | prefetch(1), request(1)"),
        "queue": Contestant(one_by_one, "asyncio.Queue(1)"),
    },
    musts=(Must("speed", "queue", 1),),
)
