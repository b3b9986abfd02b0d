"""shed with worth: under overload those go first of which least is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import rxml
from rxml import operators as ops
from rxml.resilience import Priorities
from rxml.testing import Never, Watermark
from rxml.testing.virtual_time import run
from tests.unit.flow.ledger import SHED, Ledger
from tests.unit.resilience.test_shedding import paced


def shedding(told: list[Any], capacity: int, **how: Any) -> Any:
    settings: dict[str, Any] = {"worth": abs, **how}
    return ops.shed(
        capacity,
        target=1,
        interval=10,
        priorities=Priorities(1, 1, 1, 1),
        on_shed=lambda element, why: told.append((element, why)),
        **settings,
    )


def inverse(x: int) -> float:
    return 1 / x


def test_the_most_certain_give_way_and_order_is_kept() -> None:
    told: list[Any] = []
    flow = rxml.of(9, 5, 1, 7, 0, 3, 8).pipe(shedding(told, 3))
    assert run(paced(flow, [0, 1], n=9)) == [[9], [5, 7, 8]]
    assert told == [(0, "full"), (1, "worth"), (3, "worth")]


def test_of_those_that_are_worth_as_much_the_first_stay() -> None:
    told: list[Any] = []
    flow = rxml.of(9, 1, -1, 1, 2).pipe(shedding(told, 2))
    assert run(paced(flow, [0, 1], n=9)) == [[9], [-1, 2]]
    assert told == [(1, "full"), (1, "worth")]


def test_one_may_leave_from_behind_a_signal_and_ends_as_shed() -> None:
    ledger, told = Ledger(), list[Any]()
    source = ledger.source("9", "1", Watermark(5), "7", "8", Never())
    flow = source.pipe(shedding(told, 2, worth=float))

    async def main() -> list[Any]:
        got: list[Any] = []
        async with flow.open() as subscription:
            got.append((await subscription.request(1)).elements)
            await asyncio.sleep(1)
            chunks = [await subscription.request(9) for _ in range(2)]
            got += [(chunk.elements, chunk.watermark) for chunk in chunks]
        return got

    first, signal, rest = run(main())
    assert (first, signal, rest) == (["9"], ([], 5), (["7", "8"], None))
    assert told == [("1", "worth")]
    assert ledger.ends["1"] == [SHED]


def test_a_worth_that_fails_fails_the_stream_behind_what_waits() -> None:
    told: list[Any] = []
    flow = rxml.of(4, 0, 5).pipe(shedding(told, 9, worth=inverse))
    got: list[Any] = []
    with pytest.raises(ZeroDivisionError) as caught:
        run(flow.pipe(ops.do_action(got.append)).to_list())
    assert got == [4]
    assert "shed(9)" in caught.value.__notes__[0]
