"""What stages with event time give, element by element and signal by signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.flow.chunk import UNBOUNDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml import Flowable

Signal = tuple[str, Any]


async def signals(flow: Flowable[Any], demands: Sequence[int] = (UNBOUNDED,)) -> list[Signal]:
    """("element", it), ("watermark", ns), ("idle", bool), ("barrier", number): in the order in which they stand."""
    found: list[Signal] = []
    async with flow.open() as stream:
        asked = 0
        while not (chunk := await stream.request(demands[asked % len(demands)])).end:
            asked += 1
            found += [("element", each) for each in chunk.elements]
            found += list(chunk.signals().items())
    return found


def elements(found: list[Signal]) -> list[Any]:
    return [value for name, value in found if name == "element"]


def marks(found: list[Signal]) -> list[int]:
    return [value for name, value in found if name == "watermark"]
