"""What cannot be loaded, a registry that is gone, clocks that jump and a process that was asleep: predictions go on."""

from __future__ import annotations

import asyncio
import shutil
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from rxml import models
from rxml import operators as ops
from rxml.batch import Field, Schema
from rxml.errors import DeadlineError
from rxml.flow.context import Outcome
from rxml.flow.service import Service
from rxml.models import ModelSupervisor
from rxml.models.artefacts import linear
from rxml.models.model import Release
from rxml.models.registry import Registry
from rxml.models.scoring import off_loop
from rxml.resilience import Breaker
from rxml.supervising import News
from rxml.testing.virtual_time import run
from tests.chaos.client import Bystander, Client, who
from tests.chaos.faulty import doubled
from tests.unit.supervising.arms import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rxml.models import Swap

X = Schema.of(x="float64")
GATE = threading.Event()


class Edition:
    """A version whose loading does what it is told."""

    def __init__(self, name: str, load: Callable[[], models.Model]) -> None:
        self.release = Release(name, "1", f"sha256:{name}")
        self._load = load

    def load(self) -> models.Model:
        return self._load()


def good() -> models.Model:
    return models.from_function(doubled, inputs=X)


def other_signature() -> models.Model:
    return models.from_function(doubled, inputs=Schema([Field("y", "float64")]))


def liar() -> models.Model:
    return models.from_function(lambda rows: rows["x"].reshape(-1, 1), inputs=X)


def failing() -> models.Model:
    raise OSError("the disk is gone")


def exiting() -> models.Model:
    sys.exit(3)


def hanging() -> models.Model:
    GATE.wait(10)
    return good()


def nothing() -> Any:
    return None


LOADS = {
    each.__name__: each for each in (other_signature, liar, failing, exiting, hanging, nothing)
}


@pytest.mark.parametrize("fault", LOADS)
def test_a_version_that_cannot_take_over_leaves_the_one_before_at_work(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(off_loop, "PATIENCE", 0.05)
    GATE.clear()
    swaps: list[Swap] = []

    async def main() -> None:
        versions: News[Edition] = News()
        versions.tell(Edition("first", good))
        told = asyncio.Event()

        def swapped(swap: Swap) -> None:
            swaps.append(swap)
            told.set()

        operator = ops.score(versions.flow("versions"), ordered=False, on_swap=swapped)
        async with Bystander() as bystander, Client(operator) as client:
            await client.until_answered("first")
            told.clear()
            versions.tell(Edition("bad", LOADS[fault]))
            while not told.is_set():
                assert who(*await client.keep_asking(1, at_once=1)) == "first"
            await bystander.require_unharmed()
            versions.tell(Edition("next", good))
            async with asyncio.timeout(5):
                await client.until_answered("next")
            await bystander.require_unharmed()
        client.require_right()
        assert client.outcomes() == {Outcome.ANSWERED: len(client.ends)}
        assert {who(each) for each in client.answers.values()} == {"first", "next"}

    try:
        asyncio.run(main())
    finally:
        GATE.set()
    assert [(each.release.name, each.error is None) for each in swaps] == [
        ("first", True),
        ("bad", False),
        ("next", True),
    ]


def test_a_registry_whose_directory_is_gone_stops_no_prediction(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    registry.publish("price", linear({"x": 2.0}))
    registry.promote("price", "champion", 1)

    watched = registry.watch("price@champion", every=0.005)

    async def main() -> None:
        async with Client(ops.score(watched, ordered=False)) as client:
            await client.keep_asking(20)
            await asyncio.to_thread(shutil.rmtree, tmp_path / "models")
            for _ in range(20):
                await client.keep_asking(5)
                await asyncio.sleep(0.002)
        client.require_right()
        assert client.outcomes() == {Outcome.ANSWERED: 120}

    asyncio.run(main())


@pytest.mark.parametrize("hours", [-24, 24])
def test_the_clock_on_the_wall_jumps_and_nobody_notices(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shift, true_time, true_ns = [0], time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: true_time() + shift[0])
    monkeypatch.setattr(time, "time_ns", lambda: true_ns() + shift[0] * 10**9)
    ill = Scripted("ill")
    given = ModelSupervisor(
        {"ill": ill, "well": Scripted("well")}, weights={"ill": 1}, breaker=lambda: Breaker(least=3)
    )

    async def main() -> None:
        async with Bystander() as bystander:
            for round_ in range(4):
                ill.fails = float(round_ % 2)
                answers = [(await given.ask(1, within=0.5)).value for _ in range(20)]
                assert set(answers) <= {"ill:1", "well:1"}
                await bystander.require_unharmed()
                shift[0] = hours * 3600 * (round_ + 1)
                await asyncio.sleep(40)

    run(main())
    moments = [each.at for each in given.recent()]
    assert moments == sorted(moments)
    assert len(moments) >= 4
    assert moments[-1] - moments[0] < 200 * 10**9  # two minutes and a half have passed


def test_a_process_that_was_asleep_for_an_hour_tells_who_waited_and_goes_on() -> None:
    """Deadlines have passed meanwhile, timers are due, breakers and budgets forget: and then all is as ever."""
    arms = {"a": Scripted("a", seconds=1.0), "b": Scripted("b", seconds=1.0)}

    async def main() -> None:
        given = ModelSupervisor(arms, default="none", within=5)
        async with Service[Any, Any](ops.supervise_models(given)) as service:
            early = [service.ask(i, within=3) for i in range(50)]
            await asyncio.sleep(0.5)
            loop: Any = asyncio.get_running_loop()
            loop._now += 3600.0
            ends = await asyncio.gather(*early, return_exceptions=True)
            assert all(isinstance(each, DeadlineError | ops.Answer) for each in ends)
            answers = [await service.ask(i, within=3) for i in range(20)]
            assert {each.rung for each in answers} == {0}
            assert {each.standing for each in given.statistics().values()} == {"in"}
            assert service.waiting == 0

    run(main())
    assert sum(each.open for each in arms.values()) == 0
