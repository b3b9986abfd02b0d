"""A stream that is kept belongs to no reader: what it does is not about the one who happens to drive it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import rxml
from rxml import operators as ops
from rxml.http.logs import current_traceparent
from rxml.http.telemetry import outgoing_headers
from tests.http.helpers import app, http, run

if TYPE_CHECKING:
    from collections.abc import Callable

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(("replay", "about"), [(10, None), (None, TRACE)])
def test_what_is_kept_for_all_is_about_nobody(replay: int | None, about: str | None) -> None:
    async def main() -> None:
        seen: list[tuple[str | None, str | None]] = []

        def look(_: int) -> None:
            seen.append((current_traceparent(), outgoing_headers().get("traceparent")))

        async def later(x: int) -> int:
            await asyncio.sleep(0)
            look(x)
            return x

        made: Callable[[], rxml.Flowable[int]] = lambda: rxml.range(0, 3)  # noqa: E731
        service = app()
        flow = rxml.defer(made).pipe(ops.do_action(look), ops.map_async(later, concurrency=1))
        service.stream("/out", flow, replay=replay)
        async with service.serve() as server:
            await http(server, "/out?offset=0", headers={"traceparent": TRACE})
        assert seen == [(about, about)] * 6

    run(main())
