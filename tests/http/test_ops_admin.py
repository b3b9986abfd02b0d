"""The admin side: what it tells, to whom, and that it grows with nothing that strangers send."""

from __future__ import annotations

import asyncio
import re
import socket
import stat
from typing import TYPE_CHECKING, Any, cast

import pytest

import rxml
from rxml import operators as ops
from rxml.errors import PipelineError, PortTakenError
from rxml.http import Admin, App, Limits, Server
from rxml.http.metrics import Metrics
from rxml.http.prometheus import Family, Histogram, Sample, merged, render
from rxml.http.readiness import Readiness
from rxml.http.siblings import Siblings
from tests.http.helpers import Answer, collecting, eventually, http, post, raw, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SAMPLE = re.compile(
    r'([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)'
)
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\n"])*)"')


def parsed(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The samples of a text of Prometheus; fails for what is none, and for a family that comes twice."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    kinds: dict[str, str] = {}
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            match = SAMPLE.fullmatch(line)
            assert match, line
            family = re.sub(r"_(bucket|sum|count)$", "", match[1])
            assert match[1] in kinds or kinds[family] == "histogram"
            key = match[1], tuple(sorted(LABEL.findall(match[2] or "")))
            assert key not in found
            found[key] = float(match[3])
    return found


def sample(text: str, name: str, **labels: str) -> float:
    return parsed(text)[name, tuple(sorted(labels.items()))]


class Side:
    """The admin side of a server, as `http` wants it."""

    def __init__(self, server: Server) -> None:
        self.url = f"http://127.0.0.1:{server.admin_port}"


async def side(server: Server, path: str, **more: Any) -> Answer:
    return await http(Side(server), path, **more)


def service(**limits: Any) -> App:
    given: dict[str, Any] = {"drain_seconds": 0.5, **limits}
    return App(port=0, admin=0, limits=Limits(**given))


def test_what_was_answered_is_counted_by_path_and_status() -> None:
    async def main() -> str:
        made = service()
        made.stream("/out", rxml.of(1))
        flow = made.ingest("/in")
        async with made.serve() as server, collecting(flow):
            for _ in range(3):
                await http(server, "/out")
            await post(server, b"[{},{}]")
            await post(server, b"{")
            await http(server, "/out", method="DELETE")
            await http(server, "/nothing")
            async with raw(server) as peer:
                await peer.send(b"\x00\r\n\r\n")
                await peer.closed()
            return (await side(server, "/metrics")).body.decode()

    text = run(main())
    total = "rxml_http_requests_total"
    assert sample(text, total, path="/out", status="200") == 3
    assert sample(text, total, path="/out", status="405") == 1
    assert sample(text, total, path="/in", status="202") == 1
    assert sample(text, total, path="/in", status="400") == 1
    assert sample(text, total, path="unknown", status="404") == 1
    assert sample(text, total, path="malformed", status="400") == 1
    assert sample(text, "rxml_http_request_seconds_count", path="/in") == 2
    assert sample(text, "rxml_http_in_flight") == 0
    assert sample(text, "rxml_http_connections") >= 0


METHODS = ("GET", "DELETE", "PROPFIND")


@pytest.mark.timeout(150)
def test_random_paths_and_methods_do_not_grow_the_metrics() -> None:
    async def main() -> None:
        made = service()
        made.stream("/out", rxml.of(1))
        async with made.serve() as server, raw(server) as peer:
            before = await side(server, "/metrics")
            for start in range(0, 100_000, 500):
                heads = "".join(
                    f"{METHODS[n % 3]} /{n}/{n * 7919 % 10007}?{n} HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    for n in range(start, start + 500)
                )
                await asyncio.gather(peer.send(heads.encode()), answers(peer.reader, 500))
            after = await side(server, "/metrics")
            assert (
                sample(
                    after.body.decode(), "rxml_http_requests_total", path="unknown", status="404"
                )
                == 100_000
            )
            assert len(after.body.splitlines()) <= len(before.body.splitlines()) + 20

    run(main(), seconds=120)


async def answers(reader: asyncio.StreamReader, count: int) -> None:
    """Read so many, each of which ends with the paths there are: taking each apart would cost as much as making it."""
    end, read = b'"paths":["/out"]}\n', b""
    while count:
        part = await reader.read(2**16)
        assert part, read
        read += part
        whole = read.count(end)
        read = read[read.rfind(end) + len(end) :] if whole else read
        count -= whole


def test_what_is_shed_is_counted_by_reason() -> None:
    async def main() -> str:
        made = service(connections=2)
        _ = made.ingest("/in", deadline=0.05)
        async with made.serve() as server:
            await post(server, {})
            async with raw(server), raw(server):
                await eventually(lambda: server.connections == 2)
                await http(server, "/in")
            return (await side(server, "/metrics")).body.decode()

    text = run(main())
    assert sample(text, "rxml_http_shed_total", reason="overload") == 1
    assert sample(text, "rxml_http_shed_total", reason="connections") == 1


def test_stages_of_background_flows_are_shown() -> None:
    async def main() -> str:
        made = service()
        flow = made.ingest("/in", schema=int)
        made.background(flow.pipe(ops.map(abs), ops.filter(bool)))
        async with made.serve() as server:
            await post(server, [1, 0, 2])
            return (await side(server, "/metrics")).body.decode()

    found = parsed(run(main()))
    emitted = {
        dict(labels)["stage"]: value
        for (name, labels), value in found.items()
        if name == "rxml_stage_emitted_total"
    }
    assert sorted(emitted.values()) == [2, 3, 3]


def test_not_ready_until_every_check_says_yes() -> None:
    said: dict[str, Any] = {"one": False, "two": True}

    async def two() -> bool:
        if said["two"] == "slow":
            await asyncio.sleep(60)
        return 1 // int(said["two"]) > 0

    async def main() -> None:
        made = service()
        made.ready_when(lambda: said["one"], "one")
        made.ready_when(two)
        with pytest.raises(PipelineError, match="of that name"):
            made.ready_when(two)
        with pytest.raises(PipelineError, match="wants a function"):
            made.ready_when(cast("Any", True))
        async with made.serve() as server:
            assert (await side(server, "/live")).json == {"live": True}
            answer = await side(server, "/ready")
            assert answer.status == 503
            assert answer.json == {
                "ready": False,
                "draining": False,
                "checks": {"one": False, "two": True},
            }
            for one, status in ((True, 200), (1, 503), (None, 503), (True, 200)):
                said["one"] = one
                assert (await side(server, "/ready")).status == status
            said["two"] = 0
            assert (await side(server, "/ready")).json["checks"] == {"one": True, "two": False}
            said["two"] = "slow"
            assert (await side(server, "/ready")).status == 503

    run(main())


def test_checks_are_asked_at_the_same_time() -> None:
    async def main() -> None:
        here, there = asyncio.Event(), asyncio.Event()

        async def one() -> bool:
            here.set()
            return await there.wait()

        async def two() -> bool:
            there.set()
            return await here.wait()

        assert await Readiness({"one": one, "two": two}).state() == {"one": True, "two": True}

    run(main())


def test_a_drain_is_seen_before_clients_are_refused() -> None:
    async def main() -> None:
        made = App(port=0, admin=Admin(port=0, linger=0.4), limits=Limits(drain_seconds=0.5))
        made.stream("/out", rxml.of(1))
        began = asyncio.Event()
        seen: list[int] = []

        async def serve() -> None:
            async with made.serve() as server:
                served.append(server)
                began.set()
                await server.ending.wait()

        served: list[Server] = []
        serving = asyncio.create_task(serve())
        await began.wait()
        assert (await side(served[0], "/drain", body=b"", method="POST")).status == 202
        answer = await side(served[0], "/ready")
        assert (answer.status, answer.json["draining"]) == (503, True)
        seen.append((await http(served[0], "/out")).status)
        await serving
        assert seen == [200]

    run(main())


def test_the_admin_side_may_be_a_unix_socket_of_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))  # left by a process that was killed

    async def main() -> None:
        made = App(port=0, admin=str(path), limits=Limits(drain_seconds=0.5))
        made.stream("/out", rxml.of(1))
        async with made.serve() as server:
            assert server.admin_port is None
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
            writer.close()
            with pytest.raises(PortTakenError, match="admin side"):
                async with made.serve():
                    pass
            for missing in ("/metrics", "/live", "/ready", "/drain"):
                assert (await http(server, missing)).status == 404
        assert not path.exists()

    run(main())


def test_a_name_that_was_made_to_point_here_is_refused_there_too() -> None:
    async def main() -> None:
        async with service().serve() as server:
            assert (await side(server, "/metrics", host="evil.example")).status == 421
            assert (await side(server, "/metrics", origin="http://evil.example")).status == 403
            assert (await side(server, "/nothing")).json["paths"] == [
                "/live", "/ready", "/metrics", "/drain",
            ]  # fmt: skip
            assert (await side(server, "/samples")).status == 404

    run(main())


@pytest.mark.parametrize("given", [{}, {"port": 1, "path": "x"}, {"port": 70000}, {"path": "x" * 200}, {"port": 1, "linger": -1}, {"port": True}])  # fmt: skip
def test_a_place_that_is_none_is_refused(given: Mapping[str, Any]) -> None:
    with pytest.raises(PipelineError, match=r"admin|Unix"):
        Admin(**given)


def test_a_page_of_this_machine_ends_nothing_by_a_name_that_points_here() -> None:
    async def main() -> None:
        made = App(port=0, admin=Admin(port=0, host="0.0.0.0"))
        async with made.serve() as server:
            for named in ({"Host": "evil.example", "Origin": "http://evil.example"}, {"Host": "x"}):
                answer = await side(server, "/drain", body=b"", method="POST", headers=named)
                assert answer.status == 421
                assert (await side(server, "/live", headers=named)).status == 200
            assert not server.ending.is_set()
            assert (await side(server, "/drain", body=b"", method="POST")).status == 202

    run(main())


def test_whichever_worker_is_asked_shows_all(tmp_path: Path) -> None:
    async def main() -> None:
        made = service()
        made.stream("/out", rxml.of(1))
        one, two = (Siblings(str(tmp_path), number, 3) for number in (0, 1))
        async with (
            made.serve(siblings=one) as first,
            made.serve(siblings=two, port=first.port) as second,
        ):
            for each in (first, second):
                metrics = each._serving.metrics  # pyright: ignore[reportPrivateUsage]
                metrics.gauge("rxml_odd", "Odd.", lambda: float("nan"))
            for _ in range(20):
                await http(first, "/out")
            text = (await side(first, "/metrics")).body.decode()
            counts = [
                value for (name, labels), value in parsed(text).items()
                if name == "rxml_http_requests_total" and ("path", "/out") in labels
            ]  # fmt: skip
            assert sum(counts) == 20
            workers = {dict(labels)["worker"] for _, labels in parsed(text)}
            assert workers == {"0", "1"}
            assert (await side(first, "/drain", body=b"", method="POST")).status == 409

    run(main())


def test_text_of_strangers_is_escaped() -> None:
    nasty = 'a"b\\c\nd\ud800'
    text = render([Family("x_total", "counter", "line\nbreak \\", [Sample({"l": nasty}, 1)])])
    assert parsed(text) == {("x_total", (("l", 'a\\"b\\\\c\\nd?'),)): 1}
    assert text.count("\n") == 3


def test_a_histogram_counts_up() -> None:
    histogram = Histogram([0.1, 1.0])
    for value in (0.05, 0.1, 0.5, 3.0):
        histogram.add(value)
    text = render([Family("h", "histogram", "", list(histogram.samples({})))])
    assert [sample(text, "h_bucket", le=le) for le in ("0.1", "1", "+Inf")] == [2, 3, 4]
    assert sample(text, "h_count") == histogram.count == 4
    assert sample(text, "h_sum") == pytest.approx(3.65)


def test_gauges_of_others_are_read_when_they_are_asked_for() -> None:
    metrics, values = Metrics(), [1.0]
    metrics.gauge("rxml_queue_oldest_seconds", "Age.", lambda: values[0], queue="a")
    metrics.gauge("rxml_queue_oldest_seconds", "Age.", lambda: float("nan"), queue="b")
    values[0] = 2.5
    metrics.gauge("rxml_queue_oldest_seconds", "Age.", lambda: 1 // 0, queue="c")
    assert sample(render(metrics.families()), "rxml_queue_oldest_seconds", queue="a") == 2.5
    for name, label in (("has blank", "x"), ("fine", "1x"), ("fine", "__name__")):
        with pytest.raises(ValueError, match="is named by"):
            metrics.gauge(name, "", float, **{label: "x"})
    for number in range(997):
        metrics.gauge("rxml_x", "", float, number=str(number))
    with pytest.raises(ValueError, match="one too many"):
        metrics.gauge("rxml_x", "", float, number="one more")


def test_families_of_several_are_one() -> None:
    one = Family("x", "gauge", "", [Sample({"a": "b"}, 1)])
    two = Family("x", "gauge", "", [Sample({"a": "b"}, 2)])
    text = render(merged({"0": [one], "1": [two]}, "worker"))
    assert text.count("# TYPE x") == 1
    assert sample(text, "x", a="b", worker="1") == 2
