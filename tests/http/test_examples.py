"""The example that a newcomer starts from, with curl where there is one."""

from __future__ import annotations

import asyncio
import json
import shutil

import pytest

import rxml
from examples.first_endpoint import Mean, Means, Reading, build
from tests.http.helpers import app, http, run

CURL = shutil.which("curl")


def test_means_are_per_sensor_and_bounded() -> None:
    means = Means()
    for i in range(1500):
        means = means.after(Reading(f"s{i}", 1.0))
    assert len(means.known) == 1000
    means = means.after(Reading("s1499", 2.0))
    assert means.latest() == Mean("s1499", 1.5, 2)


def test_posted_readings_come_out_as_means_to_every_client() -> None:
    async def main() -> None:
        service = app()
        build(service)
        async with service.serve() as server:
            url = f"{server.url}/means"
            typed = rxml.connect(url, type=Mean)
            plain = rxml.connect(url, type=Mean, encoding="json")
            async with typed.open() as one, plain.open() as other:
                waiting = asyncio.gather(one.request(1), other.request(1))
                await asyncio.sleep(0.1)
                body = json.dumps({"sensor": "a", "value": 3}).encode()
                answer = await http(
                    server, "/readings", body, headers={"content-type": "application/json"}
                )
                assert answer.status == 202
                for chunk in await waiting:
                    assert list(chunk.elements) == [Mean("a", 3.0, 1)]

    run(main())


def test_a_client_that_stalls_does_not_hold_up_the_others() -> None:
    async def main() -> None:
        service = app()
        build(service)
        json_array = {"content-type": "application/json"}
        body = json.dumps([{"sensor": "a", "value": 3}] * 500).encode()
        async with service.serve() as server:
            stream = rxml.connect(f"{server.url}/means", type=Mean)
            async with stream.open() as idle:
                waiting = asyncio.create_task(idle.request(1))
                await asyncio.sleep(0.1)
                for _ in range(5):
                    answer = await http(server, "/readings", body, headers=json_array)
                    assert json.loads(answer.body)["accepted"] == 500
                await waiting

    run(main())


@pytest.mark.skipif(CURL is None, reason="no curl here")
@pytest.mark.allow_blocking("starts processes")
def test_curl_is_all_that_it_takes() -> None:
    async def curl(*arguments: str) -> bytes:
        assert CURL is not None
        process = await asyncio.create_subprocess_exec(CURL, "-sN", *arguments, stdout=-1)
        out, _ = await process.communicate()
        return out

    async def main() -> None:
        service = app()
        build(service)
        async with service.serve() as server:
            reading = asyncio.create_task(curl("--max-time", "1.5", f"{server.url}/means"))
            await asyncio.sleep(0.5)
            head = ("-H", "content-type: application/json", "-d", '[{"sensor": "a", "value": 3}]')
            answer = json.loads(await curl(*head, f"{server.url}/readings"))
            assert answer == {"accepted": 1, "rejected": 0, "errors": []}
            assert json.loads(await reading) == {"sensor": "a", "mean": 3.0, "count": 1}

    run(main())
