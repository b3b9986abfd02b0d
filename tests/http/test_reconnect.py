"""Connections that are lost are made again, as often and as late as the policy says, and no element comes twice."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

import rxml
from rxml import Backoff
from rxml import operators as ops
from rxml.errors import ConnectionLost, GapError, PipelineError, ProtocolError, RemoteError
from rxml.flow.clock import Clock
from rxml.http import Gap, Limits, Reconnect, Replay, connect
from rxml.http.answered import refused, retry_after
from rxml.http.reconnect import Attempts, persistently
from rxml.testing import virtual_time
from tests.chaos.proxy import Proxy, seeded
from tests.http.helpers import app, eventually, run

if TYPE_CHECKING:
    from collections.abc import Callable

QUICK = Reconnect(backoff=Backoff(0.001, 2.0, 0.01), attempts=20, elapsed=10.0)
WRONG: Any = object()
LIMITS = Limits(heartbeat_seconds=0.1, pong_seconds=0.1, hello_seconds=1.0)


# --- pure ---------------------------------------------------------------------------------------


@given(
    steps=st.lists(st.sampled_from(["lost", "shed", "element"]), max_size=40),
    attempts=st.none() | st.integers(1, 6),
    elapsed=st.none() | st.floats(0, 20),
    seed=st.integers(0, 99),
)
def test_attempts_keep_to_the_policy(
    steps: list[str], attempts: int | None, elapsed: float | None, seed: int
) -> None:
    policy = Reconnect(
        backoff=Backoff(0.5, 2.0, 4.0), attempts=attempts, elapsed=elapsed, random=Random(seed)
    )
    state = Attempts(policy)
    now = since = 0.0
    failures = 0
    for step in steps:
        if step == "element":
            state.progressed()
            failures = 0
            continue
        since = since if failures else now
        failures += 1
        asked = 3.0 if step == "shed" else 0.0
        error = ConnectionLost("gone", retry_after=asked or None)
        try:
            wait = state.failed(error, now)
        except ConnectionLost:
            assert failures == attempts or (
                elapsed is not None and now + asked + 4.0 - since > elapsed
            )
            return
        assert attempts is None or failures < attempts
        assert asked <= wait <= asked + min(4.0, 0.5 * 2.0 ** (failures - 1))
        assert elapsed is None or now + wait - since <= elapsed
        now += wait


@pytest.mark.parametrize(
    "error",
    [
        ConnectionLost("404", final=True),
        RemoteError("failed", "ValueError"),
        ProtocolError("no frame"),
        ValueError("of the flow"),
    ],
)
def test_what_does_not_pass_is_not_tried_again(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        Attempts(Reconnect()).failed(error, 0.0)
    assert raised.value is error


@pytest.mark.parametrize(
    ("status", "passing"), [(400, False), (401, False), (404, False), (429, True), (503, True)]
)
def test_a_status_says_whether_it_passes(status: int, passing: bool) -> None:
    assert refused("no", status, {}).final is not passing


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("Wed, 25 Nov 2026 12:00:07 GMT", 7.0),
        ("Wed, 25 Nov 2026 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, datetime(2026, 11, 25, 12, tzinfo=UTC)) == seconds


def test_waits_are_of_the_runs_clock() -> None:
    async def main() -> list[float]:
        clock = Clock(asyncio.get_running_loop())
        began: list[float] = []

        async def wanted() -> None:
            await clock.sleep(1000.0 if len(began) == 3 else 0.0)

        async def attempt() -> None:
            began.append(clock.time())
            if len(began) < 4:
                raise ConnectionLost("gone", retry_after=100.0 if len(began) == 2 else None)

        policy = Reconnect(backoff=Backoff(8.0, 2.0, 60.0), random=Random(1))
        await persistently(attempt, Attempts(policy), clock, wanted)
        return [round(after - before, 9) for before, after in pairwise(began)]

    first, second, third = virtual_time.run(main())
    assert 0 < first <= 8
    assert 100 <= second <= 116
    assert 1000 < third <= 1032  # longer than `elapsed`, but nothing was wanted
    assert virtual_time.run(main()) == [first, second, third]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Reconnect(attempts=0),
        lambda: Reconnect(attempts=True),
        lambda: Reconnect(backoff=WRONG),
        lambda: connect("ws://x", reconnect=WRONG),
        lambda: connect("ws://x", offset=-1),
        lambda: connect("ws://x", epoch="x" * 65),
        lambda: connect("ws://x", on_gap=WRONG),
    ],
)
def test_a_policy_that_is_none_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(PipelineError):
        make()


# --- over a network that fails ------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_all_elements_come_once_through_a_network_that_fails(encoding: Any, seed: int) -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.range(20_000), replay=20_000)
        fault = seeded(seed, size=30_000, faulty=5)
        async with service.serve() as server, Proxy(server.port, fault) as proxy:
            url = f"ws://127.0.0.1:{proxy.port}/out"
            flow = connect(
                url, encoding=encoding, limits=LIMITS, reconnect=QUICK, offset=0, on_gap="error"
            )
            assert await flow.to_list() == list(range(20_000))
            assert proxy.connections > 1

    run(main())


def gaps_of(keep: int, on_gap: Any) -> tuple[list[int], Gap | None]:
    """What a reader gets that is away while others read on."""
    got: list[int] = []
    gaps: list[Gap] = []

    async def main() -> None:
        service = app()
        service.stream("/out", rxml.range(1000), replay=Replay(keep))
        async with service.serve() as server, Proxy(server.port) as proxy:
            told = gaps.append if on_gap is None else on_gap
            flow = connect(f"ws://127.0.0.1:{proxy.port}/out", reconnect=QUICK, on_gap=told)
            async with flow.open() as subscription:
                while len(got) < 5:
                    got.extend((await subscription.request(1)).elements)
                await proxy.cut()
                assert len(await connect(f"{server.url}/out").to_list()) == 995
                while not (chunk := await subscription.request(100)).end:
                    got.extend(chunk.elements)

    run(main())
    return got, gaps[0] if gaps else None


def test_what_was_lost_meanwhile_is_told() -> None:
    got, gap = gaps_of(100, None)
    assert got == [*range(5), *range(900, 1000)]
    assert gap is not None
    assert gap.count == 895
    assert "895 elements are lost" in str(gap)


def test_nothing_is_told_if_nothing_was_lost() -> None:
    assert gaps_of(1000, "error") == (list(range(1000)), None)


def test_a_gap_may_be_an_error() -> None:
    with pytest.raises(GapError, match="895"):
        gaps_of(100, "error")


def test_a_server_that_ends_is_left_for_another_one() -> None:
    async def main() -> None:
        def service() -> Any:
            made = app()
            flow = rxml.interval(0.001).pipe(ops.take(300))
            made.stream(
                "/out", flow, replay=Replay(1000, epoch="same everywhere".replace(" ", "-"))
            )
            return made

        got: list[int] = []
        async with service().serve() as first:
            port = first.port
            flow = connect(f"{first.url}/out", reconnect=QUICK, on_gap="error")
            task = asyncio.create_task(flow.pipe(ops.do_action(got.append)).to_list())
            await eventually(lambda: len(got) >= 50)
            await first.stop()
            assert not task.done()
            async with service().serve(port=port):
                assert await task == list(range(300))

    run(main())


def test_a_reader_that_wants_nothing_for_long_goes_on_later() -> None:
    async def main() -> None:
        service = app(idle_seconds=0.05, hello_seconds=0.05)
        service.stream("/out", rxml.range(100), replay=100)
        async with service.serve() as server:
            flow = connect(f"{server.url}/out", reconnect=QUICK, on_gap="error")
            async with flow.open() as subscription:
                got = list((await subscription.request(1)).elements)
                await asyncio.sleep(0.2)
                await eventually(lambda: server.connections == 0)
                while not (chunk := await subscription.request(100)).end:
                    got += chunk.elements
            assert got == list(range(100))

    run(main())


def test_another_epoch_is_told() -> None:
    async def main() -> None:
        gaps: list[Gap] = []
        got: list[int] = []
        service = app()
        service.stream("/out", rxml.interval(0.001), replay=1000)
        async with service.serve() as first:
            port = first.port
            flow = connect(f"{first.url}/out", reconnect=QUICK, on_gap=gaps.append)
            reading = flow.pipe(ops.do_action(got.append), ops.take_while(lambda _: not gaps))
            task = asyncio.create_task(reading.to_list())
            await eventually(lambda: len(got) >= 5)
            await first.stop()
            async with service.serve(port=port):
                await task
        assert gaps[0].count is None
        assert "begun anew" in gaps[0].reason

    run(main())


def test_nothing_is_resumed_where_nothing_is_kept() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.of(1))
        async with service.serve() as server:
            with pytest.raises(RemoteError, match="resume: nothing is kept"):
                await connect(f"{server.url}/out", reconnect=QUICK).to_list()

    run(main())


def test_a_path_that_is_none_is_not_tried_again() -> None:
    async def main() -> None:
        service = app()
        async with service.serve() as server, Proxy(server.port) as proxy:
            with pytest.raises(ConnectionLost, match="404"):
                await connect(f"ws://127.0.0.1:{proxy.port}/out", reconnect=QUICK).to_list()
            assert proxy.connections == 1

    run(main())


def test_attempts_come_to_an_end() -> None:
    async def main() -> None:
        async with Proxy(1) as proxy:
            policy = Reconnect(backoff=Backoff(0.001, 1.0, 0.001), attempts=4)
            with pytest.raises(ConnectionLost) as raised:
                await connect(f"ws://127.0.0.1:{proxy.port}/out", reconnect=policy).to_list()
            assert "the last of 4 attempts" in raised.value.__notes__
            assert 4 <= proxy.connections <= 8  # aiohttp tries a GET twice

    run(main())


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([{"type": "next", "id": 1, "items": [1]}], "does not say where"),
        ([{"type": "gap", "id": 1, "offset": 3, "count": 3}, {"type": "complete", "id": 1}], None),
        ([{"type": "reset", "id": 2, "epoch": "e", "offset": 3}], "of stream 2"),
        ([{"type": "position", "id": 1, "epoch": "e", "offset": -3}], "not a frame"),
    ],
)
def test_a_peer_that_moves_the_stream_wrongly(frames: list[Any], words: str | None) -> None:
    async def main() -> None:
        async def handle(socket: ServerConnection) -> None:
            await socket.recv()
            await socket.send(json.dumps({"type": "ready", "limits": {}}))
            await socket.recv()
            for frame in frames:
                await socket.send(json.dumps(frame))
            await socket.wait_closed()

        async with serve(
            handle, "127.0.0.1", 0, subprotocols=[Subprotocol("rxml.v1+json")]
        ) as found:
            port = found.sockets[0].getsockname()[1]
            flow = connect(f"ws://127.0.0.1:{port}/", encoding="json", reconnect=QUICK)
            if words is None:
                assert await flow.to_list() == []
                return
            with pytest.raises(ProtocolError, match=words):
                await flow.to_list()

    run(main())
