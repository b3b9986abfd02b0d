"""Elements that take longer than others: a turn has few of them, nothing is lost, and the others are not held up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.flow.chunk import END, Chunk
from rxml.flow.clock import FIRST
from rxml.flow.fusion.uneven import Uneven
from rxml.flow.kernel import Chunkwise
from rxml.flow.kinds import fold
from rxml.flow.node import Cardinality
from rxml.flow.statistics import Meter
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import Sequence

QUICK: list[Any] = [*range(50)]
SLOW: list[Any] = [f"slow {at}" for at in range(40)]


class Given:
    """An input that gives these chunks, whatever is asked for."""

    def __init__(self, *chunks: Chunk[Any]) -> None:
        self._chunks = [*chunks, END]
        self.cancelled = False

    async def request(self, n: int) -> Chunk[Any]:
        return self._chunks.pop(0)

    async def cancel(self) -> None:
        self.cancelled = True


def parts(uneven: Uneven, seconds: float, n: int = 1000) -> list[Chunk[Any]]:
    """What it hands on, each of which took so long."""

    async def main() -> list[Chunk[Any]]:
        found: list[Chunk[Any]] = []
        while not (chunk := await uneven.request(n)).end:
            found.append(chunk)
            uneven.record(seconds)
        return found

    return run(main())


def test_of_what_takes_long_few_come_at_a_time_and_signals_behind_the_last() -> None:
    chunk = Chunk([*QUICK, *SLOW, *QUICK], watermark=7)
    found = parts(Uneven(Given(chunk), str, Meter("m", 0)), 0.0015)
    assert [each for part in found for each in part.elements] == chunk.elements
    slow = [sum(isinstance(each, str) for each in part.elements) for part in found]
    assert max(slow) == FIRST
    assert [part.watermark for part in found] == [None] * (len(found) - 1) + [7]


def test_how_many_depends_on_how_long_they_take() -> None:
    def sizes(seconds: float) -> list[int]:
        given = Given(*[Chunk(SLOW)] * 3)
        return [len(part.elements) for part in parts(Uneven(given, str, Meter("m", 0)), seconds)]

    assert sizes(0.0001)[:3] == [8, 16, 16]
    assert sizes(0.0001)[-1] == 40
    assert sizes(0.01)[:4] == [8, 4, 2, 1]


def test_no_more_come_than_were_asked_for_and_batches_stay_whole() -> None:
    uneven = Uneven(Given(Chunk(SLOW)), str, Meter("m", 0))
    assert {len(part.elements) for part in parts(uneven, 0.0, n=3)} == {3, 1}
    whole = tuple(SLOW)
    assert [
        each.elements for each in parts(Uneven(Given(Chunk(whole)), str, Meter("m", 0)), 0.0)
    ] == [whole]


def test_what_was_not_taken_is_dropped_and_counted() -> None:
    meter, given = Meter("m", 0), Given(Chunk(SLOW))

    async def main() -> None:
        uneven = Uneven(given, str, meter)
        await uneven.request(1000)
        await uneven.cancel()
        await uneven.cancel()

    run(main())
    assert (meter.dropped, given.cancelled) == (len(SLOW) - FIRST, True)


class Sizes(Chunkwise[Any, int]):
    """Gives the number of slow elements of each turn."""

    apart: ClassVar[type[Any] | None] = str
    stateless = True

    @override
    def push_all(self, items: Sequence[Any]) -> Sequence[int]:
        return [sum(isinstance(each, str) for each in items)]


def test_a_stage_whose_kernel_says_so_has_turns_with_few_of_them() -> None:
    flow = rxml.from_iterable([*QUICK * 100, *SLOW * 20])
    counted: Any = fold("sizes", Sizes, cardinality=Cardinality.FEWER)
    found = run(flow.pipe(ops.map(lambda x: x), counted).to_list())
    assert sum(found) == 800
    assert next(each for each in found if each) <= FIRST
