"""Law cases of `rxml.operators.tuples`."""

from __future__ import annotations

from typing import Any

import rxml
from rxml import operators as ops
from rxml.flow.chunk import CHUNK
from tests.laws.case import Case

OTHER = [7, 8, 9]
SILENT = "the watermark is the least of all flows, and the other has none"
TIMED: dict[str, Any] = {"rate": True, "ahead": None}


def zipped(xs: list[Any]) -> list[tuple[Any, Any]]:
    return [*zip(xs, OTHER, strict=False)]


CASES = {
    "zip": Case(
        lambda: ops.zip(rxml.of(*OTHER)),
        zipped,
        options={"ahead": CHUNK, "waived": {"L52": SILENT}},
    ),
    "zip:none": Case(ops.zip, lambda xs: [(x,) for x in xs]),
    "zip_latest": Case(lambda: ops.zip_latest(rxml.of(*OTHER)), None, options=TIMED),
    "combine_latest": Case(lambda: ops.combine_latest(rxml.of(*OTHER)), None, options=TIMED),
    "combine_latest:none": Case(ops.combine_latest, lambda xs: [(x,) for x in xs]),
    "with_latest_from": Case(lambda: ops.with_latest_from(rxml.of(*OTHER)), None, options=TIMED),
    "with_latest_from:none": Case(ops.with_latest_from, lambda xs: [(x,) for x in xs]),
    "fork_join": Case(
        lambda: ops.fork_join(rxml.of(*OTHER)),
        lambda xs: [(xs[-1], OTHER[-1])] if xs else [],
        options={"ahead": None},
    ),
}
