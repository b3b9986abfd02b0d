"""Elements are posted until each is taken, refused or too late, and the receiver can tell who sent them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rxml
from rxml import operators as ops
from rxml.errors import ConnectionLost, PipelineError, RemoteError
from rxml.flow.context import Context, Outcome
from rxml.flow.kinds import body_source
from rxml.http import verify_signature, webhook
from rxml.http.judging import judged
from tests.chaos.proxy import Fault, Proxy, seeded
from tests.http.helpers import app, collecting, run
from tests.http.hooks import QUICK, SECRET, hooked

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable

WRONG: Any = object()

# --- judging ------------------------------------------------------------------------------------


@given(
    status=st.sampled_from([200, 202, 207, 302, 400, 404, 413, 422, 429, 500, 503]),
    count=st.integers(1, 8),
    body=st.one_of(
        st.binary(max_size=20),
        st.fixed_dictionaries(
            {
                "rejected": st.integers(0, 5),
                "errors": st.lists(
                    st.fixed_dictionaries(
                        {"index": st.integers(-1, 9), "error": st.text(max_size=3)}
                    ),
                    max_size=4,
                ),
            },
            optional={"next": st.none() | st.integers(-1, 9)},
        ).map(lambda found: json.dumps(found).encode()),
    ),
)
def test_the_fate_of_each_element_is_known_or_it_is_sent_again(
    status: int, count: int, body: bytes
) -> None:
    found = judged(status, {}, body, count)
    assert 0 <= found.done <= count
    assert all(0 <= index < found.done for index in found.refused)
    if found.halve:
        assert (count > 1, found.done) == (True, 0)
    elif found.done < count:
        assert found.again is not None
        assert found.done > 0 or not found.again.final


# --- over the network ---------------------------------------------------------------------------


def test_each_element_is_posted_and_passed_on() -> None:
    async def main() -> None:
        async with hooked() as hook:
            flow = rxml.of({"a": 1}, {"a": 2}).pipe(webhook(hook.url, secret=SECRET))
            assert await flow.to_list() == [{"a": 1}, {"a": 2}]
            assert hook.bodies == [{"a": 1}, {"a": 2}]
            for head, body in zip(hook.heads, hook.raw, strict=True):
                assert verify_signature(SECRET, head, body) == head["idempotency-key"]
                told = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + body
                mac = hmac.new(SECRET, told, hashlib.sha256).digest()
                assert head["webhook-signature"] == "v1," + base64.b64encode(mac).decode()
            assert len({head["webhook-id"] for head in hook.heads}) == 2

    run(main())


@pytest.mark.parametrize("encoding", ["json", "ndjson", "msgpack"])
def test_what_is_ready_goes_together(encoding: Any) -> None:
    async def main() -> None:
        async with hooked() as hook:
            flow = rxml.range(250).pipe(webhook(hook.url, encoding=encoding, batch=100))
            assert await flow.to_list() == list(range(250))
            assert max(map(len, hook.bodies)) == 100
            assert len(hook.bodies) <= 4  # the first portions of a source may be smaller
            assert [x for body in hook.bodies for x in body] == list(range(250))

    run(main())


def test_what_passes_is_tried_again_with_the_same_key() -> None:
    async def main() -> None:
        answers = [503, (429, {"Retry-After": "0.02"}, b""), 500]
        async with hooked(*answers) as hook:
            assert await rxml.of(7).pipe(webhook(hook.url, **QUICK)).to_list() == [7]
            assert hook.bodies == [7] * 4
            assert len({head["idempotency-key"] for head in hook.heads}) == 1

    run(main())


def test_attempts_come_to_an_end() -> None:
    async def main() -> None:
        async with hooked(*[503] * 9) as hook:
            with pytest.raises(ConnectionLost, match="503"):
                await rxml.of(7).pipe(webhook(hook.url, attempts=3, **QUICK)).to_list()
            assert len(hook.bodies) == 3
            late = (503, {"Retry-After": "3600"}, b"")
            hook.answer = lambda _: late
            with pytest.raises(ConnectionLost) as raised:
                await rxml.of(7).pipe(webhook(hook.url, deadline=5.0)).to_list()
            assert "within 5 seconds" in str(raised.value.__notes__)
            assert len(hook.bodies) == 4

    run(main())


def test_the_deadline_of_an_element_counts() -> None:
    async def main() -> None:
        async def body(_inlets: Any, outlet: Outlet[int]) -> None:
            await outlet.emit(1, Context(deadline=outlet.clock.time() - 1.0))

        async with hooked() as hook:
            flow: Flowable[int] = body_source("late", body, capacity=1)
            with pytest.raises(ConnectionLost, match="deadline has passed"):
                await flow.pipe(webhook(hook.url)).to_list()
            assert hook.bodies == []

    run(main())


@pytest.mark.parametrize("status", [302, 401, 404, 410])
def test_what_does_not_pass_is_tried_once(status: int) -> None:
    async def main() -> None:
        async with hooked((status, {"Location": "http://127.0.0.1:1/"}, b"no")) as hook:
            with pytest.raises(RemoteError, match=f"http_{status}: no"):
                await rxml.of(7).pipe(webhook(hook.url)).to_list()
            assert len(hook.bodies) == 1

    run(main())


def bad(x: int) -> bool:
    return x % 10 == 3


def test_bad_elements_fail_alone_and_become_dead_letters() -> None:
    async def main() -> None:
        letters: list[Any] = []
        async with hooked() as hook:
            hook.answer = lambda body: (400 if any(map(bad, body)) else 200, {}, b"")
            flow = rxml.range(50).pipe(
                webhook(hook.url, batch=50), ops.supervise("resume", dead_letters=letters.append)
            )
            assert await flow.to_list() == [x for x in range(50) if not bad(x)]
            assert [letter.element for letter in letters] == [3, 13, 23, 33, 43]
            got: list[int] = []
            with pytest.raises(RemoteError, match="http_400"):
                await (
                    rxml.range(50)
                    .pipe(webhook(hook.url, batch=50), ops.do_action(got.append))
                    .to_list()
                )
            assert got == [0, 1, 2]

    run(main())


def test_an_element_without_a_form_fails_alone() -> None:
    async def main() -> None:
        letters: list[Any] = []
        async with hooked() as hook:
            flow = rxml.of(1, WRONG, 3).pipe(
                webhook(hook.url, batch=3), ops.supervise("resume", dead_letters=letters.append)
            )
            assert await flow.to_list() == [1, 3]
            assert [type(letter.error) for letter in letters] == [TypeError]

    run(main())


def test_an_app_says_of_each_element_what_became_of_it() -> None:
    async def main() -> None:
        service = app()
        taken = service.ingest("/in", schema=int)
        letters: list[Any] = []
        async with service.serve() as server, collecting(taken) as collected:
            flow = rxml.of(1, "two", 3, 4, "five").pipe(
                webhook(f"{server.url}/in", batch=5),
                ops.supervise("resume", dead_letters=letters.append),
            )
            assert await flow.to_list() == [1, 3, 4]
            assert await collected.reaches(3) == [1, 3, 4]
            assert [letter.element for letter in letters] == ["two", "five"]

    run(main())


def test_only_the_rest_of_a_body_is_sent_again() -> None:
    async def main() -> None:
        told = json.dumps(
            {"accepted": 1, "rejected": 1, "errors": [{"index": 0, "error": "no"}], "next": 2}
        )
        letters: list[Any] = []
        async with hooked((429, {"Retry-After": "0"}, told.encode())) as hook:
            flow = rxml.of(1, 2, 3, 4).pipe(
                webhook(hook.url, batch=4), ops.supervise("resume", dead_letters=letters.append)
            )
            assert await flow.to_list() == [2, 3, 4]
            assert hook.bodies == [[1, 2, 3, 4], [3, 4]]
            assert [letter.element for letter in letters] == [1]

    run(main())


def test_as_many_are_under_way_as_are_told_and_come_out_in_order() -> None:
    async def main() -> None:
        made: list[int] = []
        async with hooked() as hook, Proxy(hook.port, lambda _: Fault(delay=0.01)) as proxy:
            url = f"http://127.0.0.1:{proxy.port}/hook"
            source = rxml.range(60).pipe(ops.do_action(made.append))
            async with source.pipe(webhook(url, batch=2, concurrency=3)).open() as subscription:
                got: list[int] = []
                while not (chunk := await subscription.request(5)).end:
                    got += chunk.elements
                    assert len(made) - len(got) <= 6
                    assert len(chunk.elements) <= 5
            assert got == list(range(60))
            assert proxy.connections == 3
            assert sorted(x for body in hook.bodies for x in body) == got

    run(main())


@pytest.mark.parametrize("seed", range(4))
def test_all_elements_are_taken_through_a_network_that_fails(seed: int) -> None:
    async def main() -> None:
        fault = seeded(seed, size=400, faulty=4)
        async with hooked() as hook, Proxy(hook.port, fault) as proxy:
            url = f"http://127.0.0.1:{proxy.port}/hook"
            post = webhook(url, batch=10, timeout=0.1, attempts=20, **QUICK)
            assert await rxml.range(200).pipe(post).to_list() == list(range(200))
            keys = [head["idempotency-key"] for head in hook.heads]
            once = dict(zip(keys, hook.bodies, strict=True))
            assert [x for body in once.values() for x in body] == list(range(200))
            assert proxy.connections > 1

    run(main())


def test_elements_are_taken_as_they_are_wanted() -> None:
    async def main() -> None:
        async with hooked() as hook:
            flow = rxml.range(100).pipe(webhook(hook.url, batch=50, concurrency=4))
            async with flow.open() as subscription:
                for count in range(1, 4):
                    assert list((await subscription.request(1)).elements) == [count - 1]
                    await asyncio.sleep(0.01)
                    assert hook.bodies == [[x] for x in range(count)]

    run(main())


def test_elements_are_settled_once_and_keys_are_made_of_facts() -> None:
    async def main() -> None:
        outcomes: list[tuple[int, Outcome]] = []

        def note(number: int, how: Outcome) -> None:
            outcomes.append((number, how))

        async def body(_inlets: Any, outlet: Outlet[int]) -> None:
            for i in range(6):
                await outlet.emit(i, Context(fact_id=f"fact{i}", settle=partial(note, i)))

        source: Flowable[int] = body_source("facts", body, capacity=6)
        async with hooked(200, 200, 404) as hook:
            with pytest.raises(RemoteError, match="404"):
                await source.pipe(webhook(hook.url)).run()
            keys = [head["idempotency-key"] for head in hook.heads]
            hook.answer = lambda _: (404, {}, b"")
            with pytest.raises(RemoteError, match="404"):
                await source.pipe(webhook(hook.url)).run()
            assert hook.heads[3]["idempotency-key"] == keys[0] != keys[1]
        assert len(dict(outcomes[:3])) == len(outcomes[:3])
        assert (2, Outcome.DEAD_LETTERED) in outcomes or (2, Outcome.DROPPED) in outcomes

    run(main())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_what_may_not_be_connected_to_is_not(host: str) -> None:
    async def main() -> None:
        async with hooked() as hook:
            url = f"http://{host}:{hook.port}/hook"
            with pytest.raises(ConnectionLost, match="may be connected to") as raised:
                await rxml.of(1).pipe(webhook(url, allow="public")).to_list()
            assert raised.value.final
            assert hook.bodies == []
            named = webhook(hook.url, allow=lambda address: str(address) == "127.0.0.1")
            assert await rxml.of(1).pipe(named).to_list() == [1]

    run(main())


@pytest.mark.parametrize(
    "make",
    [
        lambda: webhook("ftp://x"),
        lambda: webhook("http://x", encoding=WRONG),
        lambda: webhook("http://x", batch=0),
        lambda: webhook("http://x", batch=101),
        lambda: webhook("http://x", concurrency=WRONG),
        lambda: webhook("http://x", attempts=0),
        lambda: webhook("http://x", allow=WRONG),
    ],
)
def test_what_cannot_be_posted_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(PipelineError):
        make()
