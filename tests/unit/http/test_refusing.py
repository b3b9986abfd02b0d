"""Which policy has refused a request: said by a word, that metrics count by."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from rxml import operators as ops
from rxml.errors import OverloadError
from rxml.flow.service import Service
from rxml.http import Limits
from rxml.http.predict.answers import refusal_of
from rxml.http.predict.endpoint import Predict, PredictLane
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from rxml.http.lane import Reply


async def slow(row: Any) -> Any:
    await asyncio.sleep(0.05)
    return row


async def reasons(within: float | None, count: int, capacity: int) -> list[str]:
    """Why those were refused that ask when so many have been answered, and all places are taken again."""
    async with Service(ops.map_async(slow, concurrency=1), capacity=capacity) as service:
        asked = [service.ask(row) for row in range(count)]
        await asked[count // 2]
        more = [service.ask(row, within=within) for row in range(count)]
        errors = [each.exception() for each in more if each.done()]
        for each in [*asked, *more]:
            each.cancel()
        return [each.reason for each in errors if isinstance(each, OverloadError)]


def test_what_finds_all_places_taken_is_told_of_the_capacity() -> None:
    assert {*run(reasons(None, 10, 12))} == {"capacity"}


def test_what_would_come_too_late_is_told_of_the_pace() -> None:
    assert {*run(reasons(0.1, 10, 1000))} == {"pace"}


@pytest.mark.parametrize(("capacity", "reason"), [(12, "capacity"), (1000, "pace")])
def test_so_is_a_request_that_is_refused_before_its_body_is_looked_at(
    capacity: int, reason: str
) -> None:
    async def main() -> Reply:
        operator = ops.map_async(slow, concurrency=1)
        endpoint = Predict("/p", operator, schema=None, deadline=0.1, capacity=capacity, rows=9)
        lane = PredictLane(endpoint, cast("Any", SimpleNamespace(limits=Limits())))
        async with endpoint.service as service:
            asked = [service.ask(row) for row in range(12)]
            await asked[6]
            asked += [service.ask(row) for row in range(7)]
            reply = lane.refuses(lane.read({}))
            for each in asked:
                each.cancel()
            assert reply is not None
            return reply

    reply = run(main())
    assert (reply.status, reply.shed) == (429, reason)


def test_what_an_operator_sheds_is_overload() -> None:
    assert refusal_of(OverloadError("shed", 1.0), 60).shed == "overload"
    assert refusal_of(OverloadError("late", 1.0, "pace"), 60).shed == "pace"
