"""Keys: who may do what, for how long, and what is said to those who may not."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pytest
from typing_extensions import override
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

import rxml
from rxml.errors import PipelineError
from rxml.http import Admin, App, Key, Limits
from rxml.http.access import Right
from rxml.http.endpoint import Endpoint
from rxml.http.keys import OPEN, SCOPES
from rxml.http.replies import reply
from tests.http.helpers import Answer, collecting, http, raw, run
from tests.http.wire_client import client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from rxml.http import Server
    from rxml.http.serving import Serving

SECRET = {scope: secrets.token_urlsafe(32) for scope in SCOPES}
KEYS = [Key.of(scope, SECRET[scope], scopes=[scope]) for scope in SCOPES]

WANTED = {
    ("POST", "/in"): ("ingest", 202),
    ("GET", "/out"): ("stream", 200),
    ("POST", "/score"): ("infer", 200),
    ("GET", "/metrics"): ("metrics", 200),
    ("POST", "/drain"): ("admin", 202),
    ("GET", "/open"): (OPEN, 200),
    ("GET", "/live"): (OPEN, 200),
    ("GET", "/ready"): (OPEN, 200),
}
"""The scope that each path wants, and what it answers to who has it."""

ADMIN = ("/metrics", "/drain", "/live", "/ready")


class Score(Endpoint):
    """Answers predictions, as far as keys are concerned."""

    methods: ClassVar[tuple[str, ...]] = ("POST", "GET")

    @override
    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        return reply(200, {"path": request.path})


class Models(Score):
    """The same for models by name."""

    @override
    def wants(self, path: str) -> Right:
        return Right(self.scope, path.removeprefix("/v2/models/").partition("/")[0])


class Open(Score):
    """Answers without a key."""

    scope: ClassVar[str] = OPEN


def service(**options: Any) -> App:
    made: Any = App(port=0, admin=Admin(port=0), limits=Limits(drain_seconds=0.5), **options)
    made.stream("/out", rxml.of(1))
    made._add(Score("/score"))
    made._add(Models("/v2/models/*"))
    made._add(Open("/open"))
    app: App = made
    return app


async def ask(server: Server, method: str, path: str, token: str | None, **headers: str) -> Answer:
    body = b"{}" if method == "POST" else None
    sent = {"Content-Type": "application/json", **headers}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    if path not in ADMIN:
        return await http(server, path, body, method=method, headers=sent)
    return await http(_Admin(server), path, body, method=method, headers=sent)


def socket(server: Server, token: str | None = None) -> connect:
    return connect(server.url.replace("http", "ws") + "/out", additional_headers=_bearer(token))


class _Admin:
    """The admin side of a server, as `http` wants it."""

    def __init__(self, server: Server) -> None:
        self.url = f"http://127.0.0.1:{server.admin_port}"


@pytest.mark.parametrize(("method", "path"), WANTED)
@pytest.mark.parametrize("has", [*SCOPES, "none", "wrong", "empty"])
def test_each_path_wants_its_scope(has: str, method: str, path: str) -> None:
    wanted, status = WANTED[method, path]

    made = service(keys=KEYS)

    async def asked() -> Answer:
        flow = made.ingest("/in")
        async with made.serve() as server, collecting(flow):
            token = {"none": None, "wrong": "x" * 43, "empty": ""}.get(has, SECRET.get(has))
            return await ask(server, method, path, token)

    answer = run(asked())
    if wanted in {OPEN, has}:
        assert answer.status == status
    elif has in SCOPES:
        assert answer.status == 403
        assert f'scope="{wanted}"' in answer.headers["www-authenticate"]
        assert answer.json == {"error": f"this key is not for '{wanted}'"}
    else:
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="rxml"'
        assert "error" in answer.json


@pytest.mark.parametrize("query", ["token", "access_token", "api_key", "key"])
def test_a_secret_in_the_query_is_no_key(query: str) -> None:
    async def main() -> int:
        async with service(keys=KEYS).serve() as server:
            return (await ask(server, "GET", f"/out?{query}={SECRET['stream']}", None)).status

    assert run(main()) == 401


@pytest.mark.parametrize(
    "header",
    ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "bearer\t", "Token x", "Bearer caf\u00e9" * 9],
)
def test_another_header_is_401(header: str) -> None:
    async def main() -> Answer:
        async with service(keys=KEYS).serve() as server, raw(server) as peer:
            await peer.send(
                b"GET /out HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: "
                + header.encode()
                + b"\r\n\r\n"
            )
            head, _, body = (await peer.closed()).partition(b"\r\n\r\n")
            return Answer(int(head.split()[1]), {}, body)

    answer = run(main())
    assert answer.status == 401
    assert "error" in answer.json


def test_nothing_is_told_of_paths_to_who_has_no_key() -> None:
    async def main() -> None:
        async with service(keys=KEYS).serve() as server:
            unknown = await ask(server, "GET", "/nothing", None)
            assert (unknown.status, "paths" in unknown.json) == (401, False)
            for path in ("/out", "/nothing"):
                answer = await ask(server, "OPTIONS", path, None)
                assert (answer.status, answer.headers["allow"]) == (204, "GET, HEAD, POST")

    run(main())


@pytest.mark.parametrize(
    ("paths", "path", "status"),
    [
        (["/out"], "/out", 200),
        (["/ou"], "/out", 403),
        (["/o*"], "/out", 200),
        (["*"], "/out", 200),
        (["/score"], "/out", 403),
        (["/out"], "/%6fut", 200),
        ([], "/out", 403),
    ],
)
def test_a_key_is_for_its_paths(paths: list[str], path: str, status: int) -> None:
    key, secret = Key.new("one", scopes=["stream"], paths=paths)

    async def main() -> int:
        async with service(keys=[key]).serve() as server:
            return (await ask(server, "GET", path, secret)).status

    assert run(main()) == status


@pytest.mark.parametrize(
    ("models", "path", "status"),
    [
        (["price"], "/v2/models/price/infer", 200),
        (["price"], "/v2/models/prices/infer", 403),
        (["price"], "/v2/models/price%2F..%2fother/infer", 400),
        (["pri*"], "/v2/models/prices/infer", 200),
        ([], "/v2/models/price", 403),
    ],
)
def test_a_key_is_for_its_models(models: list[str], path: str, status: int) -> None:
    key, secret = Key.new("one", scopes=["infer"], models=models)

    async def main() -> int:
        async with service(keys=[key]).serve() as server:
            return (await ask(server, "POST", path, secret)).status

    assert run(main()) == status


def test_a_channel_is_invisible_in_another() -> None:
    shop, shop_secret = Key.new("shop", scopes=["stream", "infer"], channels=["shop"])
    bank, bank_secret = Key.new("bank", scopes=["stream", "infer"], channels=["bank"])
    both, both_secret = Key.new("both", scopes=["stream", "infer"])

    async def main() -> None:
        made = service(keys=[shop, bank, both], channels={"shop": ["/out"], "bank": ["/score"]})
        async with made.serve() as server:
            assert (await ask(server, "GET", "/out", shop_secret)).status == 200
            hidden = await ask(server, "GET", "/out", bank_secret)
            missing = await ask(server, "GET", "/nothing", bank_secret)
            assert hidden.status == missing.status == 404
            assert "/out" not in missing.json["paths"]
            assert "/score" in missing.json["paths"]
            assert (await ask(server, "GET", "/out", both_secret)).status == 200
            assert (await ask(server, "POST", "/score", both_secret)).status == 200

    run(main())


def test_read_only_takes_nothing_in_from_anybody() -> None:
    async def main(keys: list[Key], token: str | None) -> None:
        made = service(keys=keys, read_only=True)
        flow = made.ingest("/in")
        async with made.serve() as server, collecting(flow):
            assert (await ask(server, "POST", "/in", token)).status == 403
            with pytest.raises(InvalidStatus, match="403"):
                await connect(
                    server.url.replace("http", "ws") + "/in", additional_headers=_bearer(token)
                )

    key, secret = Key.new("all", scopes=SCOPES)
    run(main([], None))
    run(main([key], secret))


def _bearer(token: str | None) -> Mapping[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def test_a_websocket_may_bring_its_key_in_the_header_or_in_its_first_message() -> None:
    async def main() -> None:
        async with service(keys=KEYS).serve() as server:
            url = server.url.replace("http", "ws") + "/out"
            async with connect(url, additional_headers=_bearer(SECRET["stream"])) as peer:
                assert await peer.recv() == "1"
            async with connect(url) as peer:
                await peer.send(json.dumps({"type": "authorize", "token": SECRET["stream"]}))
                assert await peer.recv() == "1"
            async with client(server, "/out", greet=False) as spoken:
                await spoken.say(type="authorize", token=SECRET["stream"])
                await spoken.hello()
                await spoken.subscribe(5)
                assert await spoken.items(1) == [1]

    run(main())


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"type": "authorize", "token": "x" * 43}, 4401),
        ({"type": "authorize", "token": SECRET["ingest"]}, 4403),
        ({"type": "authorize"}, 4401),
        ({"type": "hello", "version": 1}, 4401),
        ([1], 4401),
    ],
)
def test_a_websocket_without_a_key_is_closed(first: Any, code: int) -> None:
    async def main() -> None:
        async with service(keys=KEYS).serve() as server, socket(server) as peer:
            await peer.send(json.dumps(first))
            await peer.wait_closed()
            assert peer.close_code == code

    run(main())


def test_a_websocket_that_brings_no_key_is_not_waited_for() -> None:
    async def main() -> None:
        made = App(port=0, keys=KEYS, limits=Limits(hello_seconds=0.1, drain_seconds=0.5))
        made.stream("/out", rxml.of(1))
        async with made.serve() as server, socket(server) as peer:
            await peer.wait_closed()
            assert peer.close_code == 4401

    run(main())


def test_a_stream_of_another_path_wants_its_own_right() -> None:
    key, secret = Key.new("one", scopes=["stream"], paths=["/out"])

    async def main() -> None:
        made = service(keys=[key])
        made.stream("/secret", rxml.of(42))
        async with made.serve() as server:
            headers = _bearer(secret)
            async with client(server, "/out", additional_headers=headers) as peer:
                await peer.subscribe(5, path="/secret")
                frame = await peer.hear()
                assert (frame["type"], frame["code"]) == ("error", "path")

    run(main())


def test_a_key_that_ends_ends_what_it_has_opened() -> None:
    async def main() -> None:
        soon = datetime.now(UTC) + timedelta(seconds=0.4)
        key, secret = Key.new("short", scopes=["stream"], expires=soon)
        made = App(port=0, keys=[key], limits=Limits(drain_seconds=0.5))
        made.stream("/out", rxml.never())
        async with made.serve() as server, raw(server) as peer:
            headers = _bearer(secret)
            async with connect(
                server.url.replace("http", "ws") + "/out", additional_headers=headers
            ) as socket:
                await peer.send(
                    b"GET /out HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                    + secret.encode()
                    + b"\r\n\r\n"
                )
                head = await peer.head()
                assert b" 200 " in head
                assert not (await peer.closed()).endswith(b"0\r\n\r\n")  # broken off
                await socket.wait_closed()
                assert socket.close_code == 4401
            assert (await ask(server, "GET", "/out", secret)).status == 401

    run(main())


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Key.of("a", "short", scopes=["infer"]), "16 or more"),
        (lambda: Key.of("a", "with a blank in it", scopes=["infer"]), "16 or more"),
        (lambda: Key.of("a", "x" * 20, scopes=["all"]), "there are infer, stream"),
        (lambda: Key.of("a", "x" * 20, scopes=[]), "there are infer, stream"),
        (lambda: Key.of("a", "x" * 20, scopes="infer"), "must be a list"),
        (lambda: Key("a", "x" * 64, scopes=("infer",)), "64 hex digits"),
        (lambda: Key.of("a", "x" * 20, scopes=["infer"], expires=datetime(2030, 1, 1)), "zone"),  # noqa: DTZ001
        (lambda: App(keys=[KEYS[0], KEYS[0]]), "two keys"),
        (lambda: App(keys=cast("Any", ["secret"])), "must be of rxml.http.keys.Key"),
        (lambda: App(keys=[Key.new("a", scopes=["infer"], channels=["x"])[0]]), "the channels are"),
    ],
)  # fmt: skip
def test_a_key_that_means_something_else_than_it_says_is_refused(make: Any, said: str) -> None:
    with pytest.raises(PipelineError, match=said):
        make()


def test_a_key_does_not_hold_its_secret() -> None:
    key, secret = Key.new("one", scopes=["infer"])
    assert secret not in repr(key)
    assert len(secret) >= 43
