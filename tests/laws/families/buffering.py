"""Law cases of `rxml.operators.buffering`."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

from typing import Any

import rxml
from rxml import operators as ops
from rxml.flow.buffers.weigh import weigh
from tests.laws.case import Case


def by_count(count: int, skip: int) -> Any:
    """Lists of `count` elements that begin with every `skip`-th."""

    def model(xs: list[Any]) -> list[list[Any]]:
        return [xs[at : at + count] for at in range(0, len(xs), skip)]

    return model


def by_cost(most: float, count: int, cost: Any) -> Any:
    """Lists of at most `count` elements that cost at most `most`."""

    def model(xs: list[Any]) -> Any:
        group: list[Any] = []
        spent = 0.0
        for x in xs:
            price = cost(x)
            if group and spent + price > most:
                yield group
                group, spent = [], 0.0
            group.append(x)
            spent += price
            if len(group) >= count or spent >= most:
                yield group
                group, spent = [], 0.0
        if group:
            yield group

    return model


def share(x: int) -> float:
    """A price that fails for 0."""
    return abs(6 // x)


CASES = {
    "buffer": Case(lambda: ops.buffer(3), by_count(3, 3)),
    "buffer:1": Case(lambda: ops.buffer(count=1), by_count(1, 1)),
    "buffer:overlap": Case(lambda: ops.buffer(3, skip=1), by_count(3, 1)),
    "buffer:gap": Case(lambda: ops.buffer(2, skip=3), by_count(2, 3)),
    "buffer:bytes": Case(
        lambda: ops.buffer(bytes=60), by_cost(60, 9999, lambda x: weigh([x])), options={"ahead": 2}
    ),
    "buffer:cost": Case(
        lambda: ops.buffer(3, bytes=8, cost=share), by_cost(8, 3, share), options={"ahead": 2}
    ),
    "buffer:seconds": Case(lambda: ops.buffer(2, seconds=0.5), None, options={"rate": True}),
    "buffer:seconds and bytes": Case(
        lambda: ops.buffer(3, seconds=1.5, bytes=60), None, options={"rate": True}
    ),
    "buffer:boundaries": Case(
        lambda: ops.buffer(rxml.interval(0.75), count=2), None, options={"rate": True}
    ),
}
