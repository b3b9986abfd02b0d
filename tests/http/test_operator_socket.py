"""An operator behind a WebSocket: elements go up and results come down, each as the other side asks."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect as dial

import rxml
from rxml import operators as ops
from rxml.http.protocol import MOST
from tests.http.helpers import eventually, inverse, padded, run
from tests.http.operated import exchange, operated
from tests.http.wire_client import client

if TYPE_CHECKING:
    from tests.http.wire_client import Client

both = pytest.mark.parametrize("encoding", ["json", "msgpack"])


async def asked(peer: Client, id_: int = 1) -> int:
    """How many the server asks for, in its next frame."""
    frame = await peer.hear()
    assert (frame["type"], frame["id"]) == ("request", id_)
    return int(frame["n"])


@both
def test_results_come_for_elements(encoding: str) -> None:
    async def main() -> None:
        async with (
            operated(ops.map(lambda x: x * 10)).serve() as server,
            client(server, "/run", encoding) as peer,
        ):
            await peer.subscribe(100)
            assert await asked(peer) >= 1
            await peer.say(type="next", id=1, items=[1], seq=0)
            assert await peer.hear() == {"type": "next", "id": 1, "seq": 0, "items": [10]}
            await peer.say(type="complete", id=1)
            frame = await peer.hear()
            while frame["type"] == "request":
                frame = await peer.hear()
            assert frame == {"type": "complete", "id": 1}

    run(main())


def test_no_element_is_asked_for_before_a_result_is() -> None:
    async def main() -> None:
        async with (
            operated(ops.map(abs)).serve() as server,
            client(server, "/run") as peer,
        ):
            await peer.subscribe(1)
            assert await asked(peer) == 1
            await peer.say(type="next", id=1, items=[-1])
            assert (await peer.hear())["items"] == [1]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(peer.hear(), 0.05)
            await peer.say(type="request", id=1, n=1)
            assert await asked(peer) == 1

    run(main())


def test_more_than_was_asked_for_breaks_the_rules() -> None:
    async def main() -> None:
        async with (
            operated(ops.map(abs)).serve() as server,
            client(server, "/run") as peer,
        ):
            await peer.subscribe(1)
            await asked(peer)
            await peer.say(type="next", id=1, items=[1, 2])
            code, reason = await peer.closed()
            assert code == 4400
            assert "1 were asked for" in reason

    run(main())


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"type": "next", "items": [1], "seq": 7}, "seq must be 0"),
        ({"type": "next", "items": []}, "one or more"),
        ({"type": "next", "items": 3}, "array"),
    ],
)
def test_what_goes_up_is_checked(frame: dict[str, Any], words: str) -> None:
    async def main() -> None:
        async with (
            operated(ops.map(abs)).serve() as server,
            client(server, "/run") as peer,
        ):
            await peer.subscribe(5)
            await asked(peer)
            await peer.say(id=1, **frame)
            code, reason = await peer.closed()
            assert (code, words in reason) == (4400, True), reason

    run(main())


def test_nothing_goes_up_on_a_stream() -> None:
    async def main() -> None:
        service = operated(ops.map(abs))
        async with service.serve() as server, client(server, "/run") as peer:
            await peer.subscribe(5)
            await asked(peer)
            await peer.say(type="complete", id=1)
            await peer.say(
                type="next", id=2, items=[1]
            )  # of a stream that is no more: late, not wrong
            assert await peer.hear() == {"type": "complete", "id": 1}

    run(main())


def test_an_element_that_does_not_fit_is_rejected_and_left_out() -> None:
    async def main() -> None:
        async with (
            operated(ops.map(abs)).serve() as server,
            client(server, "/run") as peer,
        ):
            frames = await exchange(peer, [-1, "two", -3])
            [reject] = [frame for frame in frames if frame["type"] == "reject"]
            assert (reject["seq"], reject["id"], "int" in reject["message"]) == (1, 1, True)
            assert [x for frame in frames for x in frame.get("items", ())] == [1, 3]

    run(main())


def test_streams_of_one_socket_are_runs_of_their_own() -> None:
    async def main() -> None:
        async with (
            operated(ops.scan(lambda a, b: a + b, 0)).serve() as server,
            client(server, "/run") as peer,
        ):
            for id_ in (1, 2):
                await peer.subscribe(1, id_)
                await asked(peer, id_)
            await peer.say(type="next", id=1, items=[5])
            assert (await peer.hear())["items"] == [5]
            await peer.say(type="next", id=2, items=[7])
            assert (await peer.hear())["items"] == [7]
            await peer.say(type="cancel", id=2)
            await peer.say(type="request", id=1, n=1)
            await asked(peer, 1)
            await peer.say(type="next", id=1, items=[5])
            assert (await peer.hear())["items"] == [10]

    run(main())


def test_an_operator_that_fails_says_so_behind_its_results() -> None:
    async def main() -> None:
        async with (
            operated(ops.map(inverse)).serve() as server,
            client(server, "/run") as peer,
        ):
            *results, last = await exchange(peer, [1, 1, 0, 1])
            assert [x for frame in results for x in frame["items"]] == [1, 1]
            assert (last["type"], last["code"]) == ("error", "failed")
            assert "ZeroDivision" in last["message"]

    run(main())


def test_a_client_that_reads_no_results_is_asked_for_nothing_more() -> None:
    async def main() -> None:
        made: list[int] = []
        operator = rxml.compose(ops.do_action(made.append), ops.map(padded))
        service = operated(operator, write_bytes=4096)
        async with (
            service.serve() as server,
            client(server, "/run", max_queue=1, close_timeout=0.1) as peer,
        ):
            await peer.subscribe(MOST)
            credit = sent = 0
            quiet = False
            while not quiet:
                try:
                    frame = await asyncio.wait_for(peer.hear(), 0.3 if sent < 2000 else 0.05)
                except TimeoutError:
                    break
                credit += frame["n"] if frame["type"] == "request" else 0
                while credit > 0 and sent < 2000:
                    await peer.say(type="next", id=1, items=[sent])
                    sent, credit = sent + 1, credit - 1
                quiet = sent >= 2000
            before = len(made)
            await asyncio.sleep(0.1)
            assert before <= sent
            assert len(made) - before <= 64

    run(main())


def test_too_much_that_waits_is_shed_with_a_time_to_come_back() -> None:
    async def main() -> None:
        async with (
            operated(ops.concat_map(rxml.never()), dict[str, Any], waiting=1000).serve() as server,
            client(server, "/run") as peer,
        ):
            await peer.subscribe(100)
            await asked(peer)
            await peer.say(type="next", id=1, items=[{"a": "x" * 1000}])  # alone, it may
            await peer.subscribe(100, 2)
            await asked(peer, 2)
            await peer.say(type="next", id=2, items=[{"a": "x" * 1000}])
            while (frame := await peer.hear())["type"] == "request":
                pass
            assert (frame["type"], frame["code"], frame["retry_after_ms"]) == (
                "error",
                "busy",
                1000,
            )
            assert frame["id"] == 2

    run(main())


def test_the_end_of_the_server_ends_streams() -> None:
    async def main() -> None:
        service = operated(ops.map(abs))
        async with service.serve() as server, client(server, "/run") as peer:
            await peer.subscribe(5)
            await asked(peer)
            ending = asyncio.create_task(server.stop())
            assert (await peer.hear())["type"] == "drain"
            frame = await peer.hear()
            assert (frame["type"], frame["code"]) == ("error", "drain")
            assert (await peer.closed())[0] == 4503
            await ending

    run(main())


def test_plain_messages_are_answered_in_order() -> None:
    async def main() -> None:
        service = operated(ops.map(lambda x: {"y": x * 2}))
        async with service.serve() as server:
            async with dial(server.url.replace("http", "ws") + "/run") as socket:
                await socket.send("1")
                assert json.loads(await socket.recv()) == {"y": 2}
                await socket.send("[2, 3]")
                assert [json.loads(await socket.recv())["y"] for _ in range(2)] == [4, 6]
                await socket.send('"x"')
                answer = json.loads(await socket.recv())
                assert (answer["index"], "int" in answer["error"]) == (3, True)
                await socket.send("{")
                assert json.loads(await socket.recv())["index"] == 4
                await socket.send("5")
                assert json.loads(await socket.recv()) == {"y": 10}
            await eventually(lambda: server.connections == 0)

    run(main())


def test_a_plain_client_hears_of_a_failure() -> None:
    async def main() -> None:
        async with (
            operated(ops.map(inverse)).serve() as server,
            dial(server.url.replace("http", "ws") + "/run") as socket,
        ):
            await socket.send("[1, 0]")
            assert json.loads(await socket.recv()) == 1
            assert json.loads(await socket.recv())["error"]["code"] == "failed"
            await socket.wait_closed()
            assert socket.close_code == 1011

    run(main())
