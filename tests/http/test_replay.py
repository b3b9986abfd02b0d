"""Streams that are kept for a while: who comes back goes on where it was, or is told what it has missed."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect as dial

import rxml
from rxml import operators as ops
from rxml.errors import PipelineError
from rxml.http import Replay
from rxml.http.protocol import Resume
from rxml.http.recording import Recording
from rxml.http.replay import behind, place, replayed, stand
from rxml.testing import virtual_time
from tests.http.helpers import app, eventually, http, inverse, raw, run
from tests.http.wire_client import client

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.http import App

STALLED = b"GET /out?offset=0 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
SSE = {"accept": "text/event-stream"}


def events(body: bytes) -> list[dict[str, str]]:
    """The events of an SSE body."""
    found: list[dict[str, str]] = []
    for block in body.decode().split("\n\n"):
        lines = [line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")]
        found.append({line[0]: line[1] for line in lines})
    return [event for event in found if event and "retry" not in event]


def kept(n: int = 10, keep: int | Replay = 100) -> App:
    service = app()
    service.stream("/out", rxml.range(n), replay=keep)
    return service


# --- pure ---------------------------------------------------------------------------------------


@given(st.text("aZ0._~-", min_size=1, max_size=64), st.integers(0, 10**17))
def test_a_place_is_found_again(epoch: str, offset: int) -> None:
    assert behind(place(epoch, offset)) == Resume(offset + 1, epoch)


@given(st.text(max_size=100))
def test_any_other_id_is_of_no_epoch_or_well_formed(last: str) -> None:
    resume = behind(last)
    assert resume == Resume(0, "") or place(resume.epoch or "", (resume.offset or 1) - 1)


@given(
    offset=st.none() | st.integers(0, 30),
    epoch=st.sampled_from([None, "a", "b"]),
    first=st.integers(0, 20),
    more=st.integers(0, 10),
    ahead=st.integers(0, 3),
)
def test_nobody_is_moved_without_a_word(
    offset: int | None, epoch: str | None, first: int, more: int, ahead: int
) -> None:
    following = first + more
    found = stand(Resume(offset, epoch), epoch="a", first=first, following=following, ahead=ahead)
    wanted = following if offset is None else offset
    assert found.epoch == "a"
    if found.reset:
        assert epoch == "b" or wanted > following + ahead
        assert (found.offset, found.gap) == (first, 0)
    else:
        assert found.offset - found.gap == wanted
        assert first <= found.offset <= following + ahead


@pytest.mark.parametrize(
    "make",
    [
        lambda: Replay(0),
        lambda: Replay(5, 0),
        lambda: Replay(True),
        lambda: Replay(epoch="a b"),
        lambda: Replay(epoch=""),
        lambda: replayed("many"),
    ],
)
def test_what_cannot_be_kept_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(PipelineError):
        make()


# --- a recording --------------------------------------------------------------------------------


@given(
    reads=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 40)), max_size=60),
    keep=st.integers(1, 50),
)
def test_readers_get_all_in_order_or_a_gap(reads: list[tuple[int, int]], keep: int) -> None:
    async def main() -> None:
        made: list[int] = []
        recording = Recording(rxml.range(500).pipe(ops.do_action(made.append)), Replay(keep))
        offsets = [0, 0, 0]
        for reader, n in reads:
            span = await recording.after(offsets[reader], n)
            if span is None:
                assert offsets[reader] == 500
                continue
            assert span.first >= offsets[reader]
            assert list(span.elements) == list(range(span.first, span.first + len(span.elements)))
            assert 1 <= len(span.elements) <= n
            if span.first > offsets[reader]:
                assert span.first == recording.following - keep
            offsets[reader] = span.first + len(span.elements)
            assert len(made) == recording.following == max(offsets)
            assert recording.following - recording.first <= keep
        await recording.end()

    virtual_time.run(main())


def test_bytes_bound_what_is_kept() -> None:
    async def main() -> None:
        flow = rxml.range(200).pipe(ops.map(lambda i: "x" * 1000 + str(i)))
        recording = Recording(flow, Replay(1000, max_bytes=20_000))
        offset = 0
        while (span := await recording.after(offset, 100)) is not None:
            offset = span.first + len(span.elements)
            assert (recording.following - recording.first) * 1000 <= 20_000
        assert offset == 200
        await recording.end()

    virtual_time.run(main())


def test_a_reader_that_leaves_while_asking_loses_nothing_for_others() -> None:
    async def main() -> None:
        flow = rxml.interval(1.0).pipe(ops.take(5))
        recording = Recording(flow, Replay(10))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(recording.after(0, 10), 0.5)
        got: list[int] = []
        while (span := await recording.after(len(got), 10)) is not None:
            got += span.elements
        assert got == [0, 1, 2, 3, 4]
        await recording.end()

    virtual_time.run(main())


def test_all_readers_hear_of_a_failure_behind_the_elements() -> None:
    async def main() -> None:
        recording = Recording(rxml.of(1, 1, 0).pipe(ops.map(inverse)), Replay(10))
        for _ in range(2):
            for offset in range(2):
                span = await recording.after(offset, 1)
                assert span is not None
                assert list(span.elements) == [1]
            with pytest.raises(ZeroDivisionError):
                await recording.after(2, 1)
        await recording.end()

    virtual_time.run(main())


# --- over the network ---------------------------------------------------------------------------


def test_the_flow_runs_once_for_all() -> None:
    async def main() -> None:
        opened: list[int] = []

        def flow_of() -> rxml.Flowable[int]:
            opened.append(1)
            return rxml.range(3)

        service = app()
        flow = rxml.defer(flow_of)
        service.stream("/out", flow, replay=10)
        async with service.serve() as server:
            first = await http(server, "/out")
            assert first.body == b"0\n1\n2\n"
            assert (await http(server, "/out")).body == b""
            again = await http(server, f"/out?offset=1&epoch={first.headers['rxml-epoch']}")
            assert (again.body, again.headers["rxml-offset"]) == (b"1\n2\n", "1")
            assert opened == [1]

    run(main())


def test_each_time_that_it_is_served_is_an_epoch() -> None:
    async def main() -> None:
        service = kept(3)
        epochs: list[str] = []
        for _ in range(2):
            async with service.serve() as server:
                answer = await http(server, "/out")
                assert answer.body == b"0\n1\n2\n"
                epochs.append(answer.headers["rxml-epoch"])
        assert epochs[0] != epochs[1]

    run(main())


def test_sse_goes_on_behind_the_last_event() -> None:
    async def main() -> None:
        async with kept(5).serve() as server:
            first = events((await http(server, "/out", headers=SSE)).body)
            assert [event["data"] for event in first] == ["0", "1", "2", "3", "4", "{}"]
            last = {**SSE, "last-event-id": first[2]["id"]}
            rest = events((await http(server, "/out", headers=last)).body)
            assert rest == first[3:]

    run(main())


@pytest.mark.parametrize("last", ["7", "", "other-3", "x" * 500])
def test_sse_says_that_an_event_is_of_another_epoch(last: str) -> None:
    async def main() -> None:
        async with kept(2, Replay(10, epoch="here")).serve() as server:
            await http(server, "/out")
            found = events(
                (await http(server, "/out", headers={**SSE, "last-event-id": last})).body
            )
            assert found[0]["event"] == "reset"
            assert json.loads(found[0]["data"]) == {"epoch": "here", "offset": 0}
            assert [event.get("id") for event in found[1:]] == ["here-0", "here-1", None]

    run(main())


def test_what_is_not_kept_any_more_is_a_gap() -> None:
    async def main() -> None:
        async with kept(100, Replay(8, epoch="e")).serve() as server:
            await http(server, "/out")
            lines = (await http(server, "/out?offset=90&epoch=e")).body.split()
            assert json.loads(lines[0]) == {"gap": 2}
            assert lines[1:] == [b"%d" % i for i in range(92, 100)]
            found = events(
                (await http(server, "/out", headers={**SSE, "last-event-id": "e-89"})).body
            )
            assert (found[0]["event"], json.loads(found[0]["data"])) == ("gap", {"gap": 2})
            assert found[1]["id"] == "e-92"

    run(main())


@pytest.mark.parametrize("query", ["offset=x", "offset=-1", "offset=1.5", "epoch=" + "x" * 65])
def test_a_place_that_is_none_is_refused(query: str) -> None:
    async def main() -> None:
        async with kept().serve() as server:
            assert (await http(server, f"/out?{query}")).status == 400

    run(main())


def test_plain_messages_go_on_too() -> None:
    async def main() -> None:
        async with kept(6, Replay(4, epoch="e")).serve() as server:
            await http(server, "/out")
            url = server.url.replace("http", "ws") + "/out"
            for query, first in (
                ("offset=3&epoch=e", {"position": {"epoch": "e", "offset": 3}}),
                ("offset=3&epoch=o", {"reset": {"epoch": "e", "offset": 2}}),
            ):
                async with dial(f"{url}?{query}") as socket:
                    messages = [json.loads(message) async for message in socket]
                    offset = messages[0][next(iter(first))]["offset"]
                    assert messages == [first, *range(offset, 6)]

    run(main())


def test_a_client_by_demand_goes_on() -> None:
    async def main() -> None:
        async with kept(20, Replay(8, epoch="e")).serve() as server:
            async with client(server, "/out") as peer:
                await peer.subscribe(15, resume={})
                assert await peer.hear() == {
                    "type": "position", "id": 1, "epoch": "e", "offset": 0,
                }  # fmt: skip
                assert await peer.items(15) == list(range(15))
            async with client(server, "/out") as peer:
                await peer.subscribe(1, resume={"offset": 15, "epoch": "e"})
                assert (await peer.hear())["offset"] == 15
                assert (await peer.hear())["items"] == [15]
                await peer.subscribe(100, 2, resume={"offset": 2, "epoch": "e"})
                assert (await peer.hear())["offset"] == 8
                assert await peer.hear() == {"type": "gap", "id": 2, "offset": 8, "count": 6}
                assert (await peer.hear())["items"][0] == 8
                await peer.say(type="cancel", id=2)
                await peer.subscribe(100, 3, resume={"offset": 2, "epoch": "o"})
                while (frame := await peer.hear())["id"] == 2:
                    pass
                assert (frame["type"], frame["epoch"]) == ("reset", "e")

    run(main())


def test_a_client_that_falls_behind_is_told() -> None:
    async def main() -> None:
        async with (
            kept(100, Replay(8, epoch="e")).serve() as server,
            client(server, "/out") as knows,
            client(server, "/out") as other,
        ):
            await knows.subscribe(1, resume={})
            assert (await knows.hear())["type"] == "position"
            assert (await knows.hear())["items"] == [0]
            await other.subscribe(1, resume={"offset": 0})
            await other.hear()
            assert (await other.hear())["items"] == [0]
            await other.subscribe(1, 2)
            assert (await other.hear())["items"] == [1]
            await http(server, "/out?offset=2")
            await knows.say(type="request", id=1, n=1)
            assert await knows.hear() == {"type": "gap", "id": 1, "offset": 92, "count": 91}
            assert (await knows.hear())["items"] == [92]
            await other.say(type="request", id=2, n=1)
            frame = await other.hear()
            assert (frame["type"], frame["id"], frame["code"]) == ("error", 2, "gap")

    run(main())


def test_a_stream_of_which_nothing_is_kept_cannot_be_resumed() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.range(3))
        async with service.serve() as server, client(server, "/out") as peer:
            await peer.subscribe(1, resume={})
            frame = await peer.hear()
            assert (frame["type"], frame["code"]) == ("error", "resume")

    run(main())


def test_a_client_that_does_not_read_holds_nobody_up() -> None:
    async def main() -> None:
        service = app(write_bytes=4096)
        flow = rxml.range(3000).pipe(ops.map(lambda i: f"{i:1000}"))
        service.stream("/out", flow, replay=Replay(100, epoch="e"))
        async with service.serve() as server, raw(server) as stalled:
            await stalled.send(STALLED)
            await stalled.head()
            whole = await http(server, "/out?offset=0")
            numbers = [
                int(json.loads(line)) for line in whole.body.splitlines() if b"gap" not in line
            ]
            assert numbers[-1] == 2999
            rest = await stalled.closed()
            gaps = [json.loads(line)["gap"] for line in rest.splitlines() if b"gap" in line]
            assert gaps
            assert sum(gaps) + rest.count(b'"\n') == 3000

    run(main())


def test_the_end_of_the_server_ends_the_run() -> None:
    async def main() -> None:
        ended: list[int] = []
        service = app()
        flow = rxml.never().pipe(ops.finally_action(lambda: ended.append(1)))
        service.stream("/out", flow, replay=10)
        async with service.serve() as server:
            waiting = asyncio.create_task(http(server, "/out", headers=SSE))
            await eventually(lambda: server.connections)
            await asyncio.sleep(0.05)
        found = events((await waiting).body)
        assert json.loads(found[-1]["data"])["code"] == "drain"
        assert ended == [1]

    run(main())
