"""Which time operators of reactivex see."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio

import rxml
from rxml.testing import virtual_time
from tests.lift.untyped import R


def test_time_is_the_runs() -> None:
    async def main() -> list[float]:
        await asyncio.sleep(100)
        stamps = await rxml.range(2).pipe(R.delay(3600.0), R.timestamp()).to_list()
        return [stamp.timestamp.timestamp() for stamp in stamps]

    assert virtual_time.run(main()) == [3700.0, 3700.0]


def test_under_a_real_loop_time_is_the_wall_clocks() -> None:
    from datetime import UTC, datetime

    before = datetime.now(UTC)
    stamp = asyncio.run(rxml.range(1).pipe(R.timestamp()).to_list())[0].timestamp
    assert abs((stamp - before).total_seconds()) < 5
