"""A watched alias: the current version first, then each change, by demand, and never on the loop."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from rxml.errors import RegistryError
from rxml.flow.chunk import END
from rxml.flow.traits import trait
from rxml.models.artefacts import linear
from rxml.models.registry import Registry
from rxml.models.registry.journal import Journal
from rxml.models.signature import Signature
from rxml.operators import take
from rxml.testing.virtual_time import advance, run, settle

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = Registry(tmp_path / "models")
    for at in range(1, 5):
        made.publish("price", linear({"area": float(at)}))
    return made


async def moved(registry: Registry, version: int) -> None:
    """Another process's registry moves the alias."""
    other = Registry(registry.folder)
    await asyncio.to_thread(other.promote, "price", "champion", version)


def test_the_current_version_comes_first_and_then_each_change(registry: Registry) -> None:
    async def main() -> list[tuple[str, float]]:
        loop = asyncio.get_running_loop()
        await moved(registry, 1)
        seen: list[tuple[str, float]] = []
        async for version in registry.watch("price@champion", every=0.5).pipe(take(3)):
            seen.append((version.version, loop.time()))
            await moved(registry, int(version.version) + 1)
        return seen

    assert run(main()) == [("1", 0.0), ("2", 0.5), ("3", 1.0)]


def test_who_is_slow_gets_the_latest(registry: Registry) -> None:
    async def main() -> list[str]:
        await moved(registry, 1)
        seen: list[str] = []
        async for version in registry.watch("price@champion").pipe(take(2)):
            seen.append(version.version)
            for number in (2, 3, 4):
                await moved(registry, number)
                await asyncio.sleep(10)
        return seen

    assert run(main()) == ["1", "4"]


def test_a_move_there_and_back_between_two_looks_is_none(registry: Registry) -> None:
    async def main() -> tuple[int, float]:
        await moved(registry, 1)
        async with registry.watch("price@champion").open() as subscription:
            await subscription.request(1)
            waiting = asyncio.create_task(subscription.request(1))
            await settle()
            for number in (2, 1):
                await moved(registry, number)
            await advance(60)
            assert not waiting.done()
            await moved(registry, 3)
            chunk = await waiting
        return int(chunk.elements[0].version), asyncio.get_running_loop().time()

    assert run(main()) == (3, 60.5)


def test_what_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "later")

    async def main() -> float:
        loop = asyncio.get_running_loop()

        async def publish() -> None:
            await asyncio.sleep(3600.2)
            await asyncio.to_thread(registry.publish, "price", linear({"area": 1.0}))

        later = asyncio.create_task(publish())
        async for version in registry.watch("price", every=1).pipe(take(1)):
            assert version.version == "1"
        await later
        return loop.time()

    assert run(main()) == 3601.0


def test_without_an_alias_it_is_the_newest(registry: Registry) -> None:
    async def main() -> list[str]:
        seen: list[str] = []
        async for version in registry.watch("price").pipe(take(2)):
            seen.append(version.version)
            await asyncio.to_thread(registry.publish, "price", linear({"area": 9.0}))
        return seen

    assert run(main()) == ["4", "5"]


def test_a_version_that_is_named_is_the_only_one(registry: Registry) -> None:
    async def main() -> list[str]:
        return [str(version) async for version in registry.watch("price:2")]

    assert run(main()) == ["price:2"]


def test_a_request_that_is_given_up_loses_no_version(registry: Registry) -> None:
    async def main() -> list[str]:
        async with registry.watch("price@champion").open() as subscription:
            waiting = asyncio.create_task(subscription.request(1))
            await advance(5)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await moved(registry, 2)
            chunk = await subscription.request(1)
            await subscription.cancel()
            assert await subscription.request(1) is END
        return [each.version for each in chunk.elements]

    assert run(main()) == ["2"]


def test_it_looks_in_a_thread_that_ends_with_it(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[str] = set()
    real = Journal.read

    def read(self: Journal, look: Any) -> Any:
        seen.add(threading.current_thread().name)
        return real(self, look)

    async def main() -> None:
        await moved(registry, 1)
        monkeypatch.setattr(Journal, "read", read)
        await registry.watch("price@champion").pipe(take(1)).to_list()

    run(main())
    (name,) = seen
    assert name.startswith("watch(price@champion)")
    for thread in threading.enumerate():
        if thread.name == name:  # it was told to end, and may still be about to
            thread.join(10)
            assert not thread.is_alive()


def test_a_registry_that_is_damaged_fails_the_stream(registry: Registry) -> None:
    (registry.folder / "facts.ndjson").write_bytes(b"{\n")

    async def main() -> None:
        await registry.watch("price@champion").to_list()

    with pytest.raises(RegistryError, match="line 1"):
        run(main())


@pytest.mark.parametrize("every", [0, -1])
def test_there_is_time_between_two_looks(registry: Registry, every: float) -> None:
    with pytest.raises((RegistryError, ValueError), match="wants a duration"):
        _ = registry.watch("price", every=every)
    with pytest.raises(RegistryError, match="a reference is"):
        _ = registry.watch("../price")


def test_what_the_version_wants_is_known_where_looking_blocks_nobody(registry: Registry) -> None:
    assert trait(registry.watch("none"), Signature) is None
    found = trait(registry.watch("price"), Signature)
    assert found is not None
    assert tuple(found.inputs) == ("area",)

    async def main() -> Signature | None:
        return trait(registry.watch("price"), Signature)

    assert run(main()) is None
