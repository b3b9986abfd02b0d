"""Whatever happens to a model, wherever it runs: who asks is answered, rightly and once, and others notice nothing."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from rxml import models
from rxml import operators as ops
from rxml.batch import Schema
from rxml.engines import processes
from rxml.flow.context import Outcome
from rxml.models import Arm, ModelSupervisor
from rxml.resilience import Breaker, Ejection
from tests.chaos import faulty
from tests.chaos.client import Bystander, Client, who

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from pathlib import Path

X = Schema.of(x="float64")
INSIDE = ("exit", "slow", "error", "shape", "length", "dtype", "nan", "memory")
OUTSIDE = ("kill", "hang", *INSIDE)


@pytest.fixture(autouse=True)
def _well() -> Iterator[None]:
    """What hangs in a thread does not outlive its test, nor does a fault."""
    faulty.GATE.clear()
    yield
    faulty.HERE["fault"] = ""
    faulty.GATE.set()


def supervisor(place: Any, within: float = 5.0, **how: Any) -> ModelSupervisor:
    """All is asked of the ill one first. Who is out comes back quickly."""
    ill = models.from_function(faulty.faulty, inputs=X)
    well = models.from_function(faulty.doubled, inputs=X)
    return ModelSupervisor(
        {"ill": Arm(ill, on=place), "well": Arm(well, on=models.on_loop())},
        weights={"ill": 1.0},
        within=within,
        breaker=partial(Breaker, least=4, wait=0.05, most=0.1, probes=1, slow=0.02),
        ejection=partial(Ejection, failures=3, seconds=0.05, most=0.1),
        **how,
    )


def here(fault: str) -> None:
    faulty.HERE["fault"] = fault


@asynccontextmanager
async def started(given: ModelSupervisor) -> AsyncGenerator[Client]:
    operator = ops.supervise_models(given, ordered=False)
    async with Client(operator) as client:
        await client.until_answered("ill")
        yield client


async def played(place: Any, fault: str, tell: Callable[[str], None]) -> ModelSupervisor:
    """Well, ill, well again: each element is answered, once, with what is right."""
    given = supervisor(place)
    async with Bystander() as bystander, started(given) as client:
        assert "ill" in map(who, await client.keep_asking(50))
        tell(fault)
        ill = await client.keep_asking(100)
        await bystander.require_unharmed()
        assert "well" in map(who, ill)
        tell("")
        faulty.GATE.set()
        await client.until_answered("ill")
        await bystander.require_unharmed()
    assert client.outcomes() == {Outcome.ANSWERED: len(client.ends)}
    client.require_right()
    return given


@pytest.mark.parametrize("fault", INSIDE)
def test_a_model_on_the_loop(fault: str) -> None:
    given = asyncio.run(played(models.on_loop(), fault, here))
    assert {"removed", "restored"} <= {each.what for each in given.recent()}


@pytest.mark.parametrize("fault", ["hang", *INSIDE])
def test_a_model_in_a_thread(fault: str) -> None:
    given = asyncio.run(played(models.threads(1, 2, timeout=0.1), fault, here))
    assert {"removed", "restored"} <= {each.what for each in given.recent()}


@pytest.mark.parametrize("fault", OUTSIDE)
def test_a_model_in_a_process(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "fault"
    told.touch()
    monkeypatch.setenv(faulty.FILE, str(told))

    def tell(fault: str) -> None:
        told.write_text(fault, "utf-8")

    asyncio.run(played(processes(1, timeout=0.3), fault, tell))


def test_when_all_are_ill_the_default_is_the_answer_and_each_element_ends_once() -> None:
    async def main() -> None:
        ill = models.from_function(faulty.faulty, inputs=X)
        given = ModelSupervisor({"a": ill, "b": ill}, default=-1.0, within=1.0)
        async with Client(ops.supervise_models(given, ordered=False)) as client:
            await client.keep_asking(20)
            for fault in INSIDE:
                here(fault)
                await client.keep_asking(20)
        values = {each.value for n, each in client.answers.items() if each.value != 2.0 * n}
        assert values == {-1.0}
        assert client.outcomes() == {Outcome.ANSWERED: 20 * (1 + len(INSIDE))}

    asyncio.run(main())


def test_without_a_supervisor_of_models_each_element_still_ends_once() -> None:
    async def main() -> None:
        ill = models.from_function(faulty.faulty, inputs=X)
        operator = ops.score(ill, on=models.threads(1, timeout=0.05), ordered=False)
        async with Client(operator, within=0.5) as client:
            for fault in ("", "hang", *INSIDE, ""):
                here(fault)
                await client.keep_asking(20)
                faulty.GATE.set()
                await asyncio.sleep(0)
            last = await client.keep_asking(20)
        client.require_right()
        assert None not in last
        outcomes = client.outcomes()
        assert outcomes[Outcome.DEAD_LETTERED] > 100
        assert outcomes.total() == 20 * (len(INSIDE) + 4)

    asyncio.run(main())


def test_memory_is_flat_while_a_model_fails_in_every_way() -> None:
    async def main() -> list[int]:
        held: list[int] = []
        given = supervisor(models.threads(1), within=0.5, keep=16, default=0.0)
        async with started(given) as client:
            for _ in range(6):
                for fault in ("error", "nan", "shape", ""):
                    here(fault)
                    await client.keep_asking(100)
                client.ends.clear()
                client.answers.clear()
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
        return held

    tracemalloc.start()
    try:
        held = asyncio.run(main())
    finally:
        tracemalloc.stop()
    assert held[-1] - held[3] < 150_000
