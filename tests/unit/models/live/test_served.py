"""Live models behind real sockets: nothing fails, nothing is mixed, nothing stays in memory."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml import models
from rxml import operators as ops
from rxml.flow.kinds import mark
from rxml.models.artefacts import linear
from rxml.models.live import Decision, Rewards
from rxml.models.registry import Registry
from rxml.models.registry import registry as registry_module
from tests.http.helpers import app, run
from tests.unit.models.live.releases import BROKEN, times

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    import pytest

    from rxml.http import Server

SWAPS = 20
CLIENTS = 8


@asynccontextmanager
async def serving(operator: Any) -> AsyncGenerator[Server]:
    service = app()
    service.predict("/in", operator)
    async with service.serve() as server:
        yield server


class Client:
    """Keeps asking on one connection, one request after the other."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.answers: list[tuple[int, Any]] = []

    async def ask(self, body: object) -> Any:
        await self.connected()
        data = json.dumps(body).encode()
        head = f"POST /in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        self.writer.write(head.encode() + data)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        lines = answer.decode().lower().split("\r\n")
        length = next(
            int(each.split(":")[1]) for each in lines if each.startswith("content-length:")
        )
        content = json.loads(await self.reader.readexactly(length))
        self.answers.append((int(lines[0].split()[1]), content))
        return content

    async def connected(self) -> None:
        if not hasattr(self, "writer"):
            made = await asyncio.open_connection(self._server.host, self._server.port)
            self.reader, self.writer = made

    async def keep_asking(self, bodies: Sequence[object], over: asyncio.Event) -> None:
        number = 0
        while not over.is_set():
            await self.ask(bodies[number % len(bodies)])
            number += 1
        await self.close()

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


def whole(content: dict[str, Any]) -> list[tuple[float, str]]:
    """Values and versions of an answer, in whatever form."""
    if "columns" in content:
        return [(value, content["version"]) for value in content["columns"]["value"]]
    return [(content["value"], content["version"])]


def published(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Registry, list[weakref.ref[Any]]]:
    """A registry whose versions multiply by their number, and every model that it has loaded and that is still there."""
    registry = Registry(folder)
    loaded: list[weakref.ref[Any]] = []
    real: Any = vars(registry_module)["released"]

    def released(*given: Any) -> Any:
        model = real(*given)
        loaded.append(weakref.ref(model))
        return model

    monkeypatch.setattr(registry_module, "released", released)
    for number in range(1, SWAPS + 2):
        registry.publish("price", linear({"x": float(number)}))
    registry.promote("price", "champion", "1")
    return registry, loaded


def test_twenty_swaps_under_load_fail_nobody_mix_nothing_and_free_what_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, loaded = published(tmp_path, monkeypatch)
    swapped: asyncio.Queue[models.Swap] = asyncio.Queue()
    signature = registry.find("price").signature

    async def main() -> list[Client]:
        watch = registry.watch("price@champion", every=0.01)
        # What it wants is known, so that columns that are asked for stay together.
        operator = ops.score(watch.pipe(mark("known", signature)), on_swap=swapped.put_nowait)
        over = asyncio.Event()
        async with serving(operator) as server:
            clients = [Client(server) for _ in range(CLIENTS)]
            bodies = [{"x": 2.0}, {"columns": {"x": [1.0, 2.0, 3.0]}}]
            async with asyncio.TaskGroup() as group:
                for client in clients:
                    group.create_task(client.keep_asking(bodies, over))
                assert (await swapped.get()).release.version == "1"
                for number in range(2, SWAPS + 2):
                    await asyncio.to_thread(registry.promote, "price", "champion", str(number))
                    swap = await asyncio.wait_for(swapped.get(), 5)
                    assert (swap.release.version, swap.error) == (str(number), None)
                over.set()
            await asyncio.sleep(0)
            gc.collect()
            alive = [model.release.version for each in loaded if (model := each()) is not None]
            assert alive == [str(SWAPS + 1)]
        return clients

    require_sound(run(main(), 60))


def require_sound(clients: Sequence[Client]) -> None:
    """Each answer is of one version, by what it says and by what it holds, and nobody sees an older one again."""
    given = {(1.0,), (2.0,), (1.0, 2.0, 3.0)}
    versions: set[str] = set()
    for client in clients:
        assert {status for status, _ in client.answers} == {200}
        found = [whole(content) for _, content in client.answers]
        order = [int(each[0][1]) for each in found]
        assert order == sorted(order)
        for each in found:
            assert tuple(value / int(version) for value, version in each) in given
            assert len({version for _, version in each}) == 1
            versions.add(each[0][1])
    assert len(versions) > SWAPS // 2


def test_a_rollback_is_a_swap_like_any_other(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    for number in (1.0, 2.0):
        registry.promote("price", "champion", registry.publish("price", linear({"x": number})))
    swapped: asyncio.Queue[models.Swap] = asyncio.Queue()

    async def main() -> list[str]:
        watch = registry.watch("price@champion", every=0.01)
        async with serving(ops.score(watch, on_swap=swapped.put_nowait)) as server:
            client = Client(server)
            await swapped.get()
            seen = [(await client.ask({"x": 1.0}))["version"]]
            await asyncio.to_thread(registry.rollback, "price", "champion")
            await asyncio.wait_for(swapped.get(), 5)
            seen.append((await client.ask({"x": 1.0}))["version"])
            await client.close()
        return seen

    assert run(main()) == ["2", "1"]


def test_a_split_is_sticky_for_those_who_ask() -> None:
    operator = ops.split({"a": times(1), "b": times(2)}, weights={"a": 1, "b": 1}, key="id")

    async def main() -> None:
        async with serving(operator) as server:
            client = Client(server)
            arms = [(await client.ask({"id": f"u{i % 40}", "x": 1.0}))["arm"] for i in range(80)]
            assert arms[:40] == arms[40:]
            assert 10 < Counter(arms[:40])["a"] < 30
            refused = await client.ask({"x": 1.0})
            assert client.answers[-1][0] == 400
            assert "'id'" in json.dumps(refused)
            await client.close()

    run(main())


def test_a_canary_that_fails_is_never_seen_by_those_who_ask() -> None:
    decisions: list[Decision] = []
    operator = ops.canary(times(1), BROKEN, key="id", share=0.5, on_decision=decisions.append)

    async def main() -> list[tuple[int, Any]]:
        async with serving(operator) as server:
            client = Client(server)
            for number in range(200):
                await client.ask({"id": number, "x": 3.0})
            await client.close()
        return client.answers

    answers = run(main())
    assert [(status, content["value"]) for status, content in answers] == [(200, 3.0)] * 200
    assert [each.kind for each in decisions] == ["begun", "rolled_back"]
    assert {content["rung"] for _, content in answers} == {"primary", "stable"}


def test_a_shadow_is_never_seen_by_those_who_ask() -> None:
    async def main() -> list[tuple[int, Any]]:
        async with serving(ops.shadow(times(1), BROKEN)) as server:
            client = Client(server)
            await client.ask({"columns": {"x": [1.0, 2.0]}})
            await client.ask({"x": 3.0})
            await client.close()
        return client.answers

    (first, second) = run(main())
    assert (first[0], first[1]["columns"]) == (200, {"value": [1.0, 2.0]})
    assert (second[0], second[1]["value"], "arm" in second[1]) == (200, 3.0, False)


def test_a_bandit_tells_those_who_ask_what_it_takes_to_judge_it() -> None:
    rewards = Rewards()
    operator = ops.bandit({"a": times(0), "b": times(1)}, reward=rewards, key="id")

    async def main() -> list[Any]:
        async with serving(operator) as server:
            client = Client(server)
            for number in range(300):
                answer = await client.ask({"id": number, "x": 1.0})
                rewards.give(number, answer["value"])
            await client.close()
        return [content for _, content in client.answers]

    answers = run(main())
    assert Counter(each["arm"] for each in answers[150:])["b"] > 100
    propensities = np.array([each["propensity"] for each in answers])
    assert ((propensities >= 0.05 - 1e-9) & (propensities <= 0.95 + 1e-9)).all()
