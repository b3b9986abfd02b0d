"""ModelSupervisor: whatever becomes of one of its arms, there is an answer in time, and it says how it came about."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import Any

import pytest

from rxml import operators as ops
from rxml.batch import Schema
from rxml.errors import (
    DeadlineError,
    EscalatedError,
    OverloadError,
    RefusedError,
    SchemaError,
)
from rxml.models import Arm, ModelSupervisor
from rxml.resilience import Breaker
from rxml.supervising import SupervisionTree
from rxml.testing.virtual_time import run
from tests.unit.supervising.arms import HANGS, Scripted, now

X = Schema.of(x="float64")


def supervisor(*arms: Any, **how: Any) -> ModelSupervisor:
    return ModelSupervisor({each.name: each for each in arms}, random=Random(3), **how)


def happened(given: ModelSupervisor, *whats: str) -> list[tuple[str, str]]:
    return [(each.what, each.arm) for each in given.recent() if each.what in whats]


async def outcome(asked: Any) -> Any:
    try:
        return await asked
    except Exception as error:  # noqa: BLE001 - looked at
        return error


class Clients:
    """One element each `pause` seconds; counts how each ends, and how late."""

    def __init__(self, given: ModelSupervisor, *, pause: float = 0.02, within: float = 0.2) -> None:
        self._given = given
        self._pause = pause
        self._within = within
        self._asks: set[asyncio.Task[None]] = set()
        self.ends: Counter[str] = Counter()
        self.names: Counter[str] = Counter()
        self.longest = 0.0

    async def _one(self, item: int) -> None:
        began = now()
        try:
            answer = await self._given.ask(item, within=self._within)
        except Exception as error:  # noqa: BLE001 - counted
            self.ends[type(error).__name__] += 1
        else:
            self.ends["answered"] += 1
            self.names[answer.name] += 1
        self.longest = max(self.longest, now() - began)

    async def go_on(self, seconds: float) -> Counter[str]:
        """Ask for so long; returns who answered how often meanwhile."""
        self.names.clear()
        end = now() + seconds
        while now() < end:
            task = asyncio.create_task(self._one(0))
            self._asks.add(task)
            task.add_done_callback(self._asks.discard)
            await asyncio.sleep(self._pause)
        await asyncio.gather(*self._asks)
        return Counter(self.names)

    @property
    def success(self) -> float:
        return self.ends["answered"] / self.ends.total()


def test_one_of_three_fails_half_of_the_time_then_hangs_then_is_well_again() -> None:
    """The case `chaos_model` of issue 4."""
    a, b, c = Scripted("a"), Scripted("b"), Scripted("c")
    given = supervisor(a, b, c)

    async def main() -> None:
        clients = Clients(given)
        well = await clients.go_on(20)
        assert well["c"] / well.total() == pytest.approx(1 / 3, abs=0.08)
        c.fails = 0.5
        ill = await clients.go_on(60)
        assert ill["c"] / ill.total() < 0.1
        assert c.asked / (a.asked + b.asked + c.asked) < 0.2
        c.fails, c.seconds = 0.0, HANGS
        hanging = await clients.go_on(60)
        assert hanging["c"] == 0
        c.seconds = 0.01
        await clients.go_on(120)
        again = await clients.go_on(20)
        assert again["c"] / again.total() == pytest.approx(1 / 3, abs=0.08)
        assert clients.success >= 0.999
        assert clients.longest <= 0.2
        assert clients.ends.total() > 13_000

    run(main(), limit_seconds=60)
    assert c.open == 0
    c_story = [
        what for what, arm in happened(given, "removed", "probing", "restored") if arm == "c"
    ]
    assert c_story[:2] == ["removed", "probing"]
    assert c_story[-2:] == ["probing", "restored"]
    assert not happened(given, "escalated", "fell back")
    assert {arm for _, arm in happened(given, "removed")} == {"c"}


def test_the_answer_comes_by_the_deadline_whatever_hangs() -> None:
    """R1: every arm hangs; the answer is there in time, and says that it is degraded."""
    arms = [Scripted(name, seconds=HANGS) for name in "ab"]
    given = supervisor(*arms, default="none", last=str, within=0.5)

    async def main() -> None:
        answer = await given.ask("x")
        assert (answer.value, answer.rung, answer.name, answer.reason) == (
            "none",
            3,
            "default",
            "late",
        )
        assert 0.4 < now() <= 0.5
        arms[0].seconds = 0.01
        assert (await given.ask("x")).value == "a:x"
        arms[0].seconds = HANGS
        began = now()
        answer = await given.ask("x", within=0.1)
        assert (answer.value, answer.rung, answer.name) == ("a:x", 2, "last known")
        assert now() - began <= 0.1
        assert (await given.ask("another key", within=0.1)).name == "default"

    run(main())
    assert sum(each.open for each in arms) == 0


@pytest.mark.parametrize("dead", ["", "a", "ab", "abc", "abcl"])
def test_when_each_way_is_gone_the_next_one_answers_and_says_why(dead: str) -> None:
    """R6: primary, simpler, cached, default."""
    arms = [Scripted(name, fails=1.0 if name in dead else 0.0) for name in "abc"]
    weights = {"a": 1.0}  # b and c are asked when a cannot be
    key = None if "l" in dead else str
    given = supervisor(*arms, weights=weights, last=key, default="nothing")

    async def main() -> Any:
        if "l" not in dead:
            for each in arms:
                each.fails, before = 0.0, each.fails
                await given.ask("x")
                each.fails = before
        return await given.ask("x")

    answer = run(main())
    ways = {
        "": {0},
        "a": {1},
        "ab": {1, 2},
        "abc": {3},
        "abcl": {4},
    }  # of b and c either is asked first
    assert answer.rung in ways[dead]
    assert answer.reason == ("error: OSError" if dead else None)
    assert answer.degraded == bool(dead)


def test_without_another_answer_it_is_said_what_is_wrong() -> None:
    async def main() -> None:
        failing = supervisor(Scripted("a", fails=1.0), breaker=lambda: Breaker(least=3))
        for _ in range(3):
            assert isinstance(await outcome(failing.ask(1)), OSError)
        refused = await outcome(failing.ask(1))
        assert isinstance(refused, RefusedError)
        assert refused.retry_after == pytest.approx(5.0)
        hanging = supervisor(Scripted("b", seconds=HANGS), within=1)
        late = await outcome(hanging.ask(1))
        assert isinstance(late, DeadlineError)
        assert "1 of 1 were asked" in str(late)

    run(main())


def test_none_left_is_escalated_once_and_a_tree_starts_all_anew() -> None:
    ill = Scripted("a", fails=1.0)
    given = supervisor(ill, breaker=lambda: Breaker(least=3, wait=60), default=0)

    async def main() -> None:
        async with SupervisionTree(given, restarts=1) as tree:
            for _ in range(9):
                assert (await given.ask(1)).value == 0
            await asyncio.sleep(1)
            assert [each.what for each in tree.recent()][:4] == [
                "started",
                "failed",
                "restarting",
                "started",
            ]
            ill.fails = 0.0
            assert (
                await given.ask(1)
            ).value == "a:1"  # the breaker is a new one, nobody waits for a minute
            ill.fails = 1.0
            for _ in range(9):
                await given.ask(1)
            with pytest.raises(EscalatedError):
                await tree.wait()

    with pytest.raises(EscalatedError, match="no arm may be asked any more"):
        run(main())
    assert happened(given, "escalated", "fell back", "recovered") == [
        ("fell back", "default"),
        ("escalated", ""),
        ("recovered", "a"),
        ("fell back", "default"),
        ("escalated", ""),
    ]


def test_what_is_the_elements_own_fault_is_told_at_once_and_blames_nobody() -> None:
    async def strict(item: Any) -> Any:
        raise SchemaError("x is missing")

    given = ModelSupervisor({"a": strict, "b": strict}, default=0)

    async def main() -> None:
        for _ in range(100):
            with pytest.raises(SchemaError):
                await given.ask(1)
        assert {each.standing for each in given.statistics().values()} == {"in"}

    run(main())


async def refuses(item: Any) -> Any:
    raise RefusedError("bulkhead", "full")


@pytest.mark.parametrize(
    ("arm", "reason"),
    [
        (Scripted("a", seconds=HANGS), "late"),
        (Arm(Scripted("a"), accept=lambda value: False), "error: UnacceptedError"),
        (refuses, "bulkhead"),
    ],
)
def test_what_the_supervisor_finds_itself_is_no_elements_fault(arm: Any, reason: str) -> None:
    arms = {"a": arm, "b": Scripted("b")}
    given = ModelSupervisor(arms, weights={"a": 1.0}, blame=ValueError)
    answer = run(given.ask(1, within=1.0))
    assert (answer.name, answer.rung, answer.reason) == ("b", 1, reason)


def test_what_was_asked_before_a_restart_counts_for_nothing_after_it() -> None:
    ended = asyncio.Event()

    async def ask(item: Any) -> Any:
        await ended.wait()
        raise OSError

    given = ModelSupervisor({"a": ask}, breaker=lambda: Breaker(least=2), default=0, within=100)

    async def main() -> None:
        asks = [asyncio.create_task(given.ask(1)) for _ in range(5)]
        await asyncio.sleep(0)
        async with SupervisionTree(given):
            ended.set()
            await asyncio.gather(*asks)
            assert given.statistics()["a"].standing == "in"

    run(main())


def test_an_element_that_all_fail_at_ejects_nobody() -> None:
    arms = [Scripted(name, fails=1.0) for name in "abc"]
    given = supervisor(*arms, default=0)

    async def main() -> None:
        for _ in range(6):  # fewer than a breaker wants, more than an ejection does
            await given.ask("poison")

    run(main())
    assert not happened(given, "removed")


def test_who_is_busy_refuses_and_is_not_blamed() -> None:
    async def busy(item: Any) -> Any:
        raise OverloadError("full", 1.0)

    calm = Scripted("calm")
    given = ModelSupervisor({"busy": busy, "calm": calm}, weights={"busy": 1.0})

    async def main() -> None:
        for _ in range(100):
            answer = await given.ask(1)
            assert (answer.name, answer.rung) == ("calm", 1)
        assert given.statistics()["busy"].standing == "in"

    run(main())


def test_an_arm_that_gets_slow_is_asked_less_and_left_for_another_early() -> None:
    slow, quick = Scripted("slow"), Scripted("quick")
    given = supervisor(slow, quick)

    async def main() -> None:
        clients = Clients(given, within=5.0)
        await clients.go_on(10)
        slow.seconds = 0.5
        clients.longest = 0.0
        names = await clients.go_on(30)
        assert names["slow"] / names.total() < 0.1
        assert clients.longest < 0.1  # it is left after three times its p95
        assert clients.success == 1

    run(main())
    assert ("removed", "slow") in happened(given, "removed")


def test_a_short_deadline_of_the_asker_does_not_blame_an_arm() -> None:
    arm = Scripted("a", seconds=0.05)
    given = supervisor(arm, default=0)

    async def main() -> None:
        for _ in range(30):
            await given.ask(1)
        for _ in range(100):
            assert (await given.ask(1, within=0.01)).reason == "late"
        assert given.statistics()["a"].standing == "in"

    run(main())


def test_weights_say_who_is_asked_and_what_has_none_is_spare() -> None:
    arms = [Scripted(name) for name in "abc"]
    given = supervisor(*arms, weights={"a": 3, "b": 1})

    async def main() -> None:
        names = Counter([(await given.ask(i)).name for i in range(2000)])
        assert names["a"] / 2000 == pytest.approx(0.75, abs=0.04)
        assert names["c"] == 0
        arms[0].fails = arms[1].fails = 1.0
        assert (await given.ask(1)).name == "c"

    run(main())


def test_one_who_goes_away_leaves_nothing_and_blames_nobody() -> None:
    arm = Scripted("a", seconds=HANGS)
    given = supervisor(arm, Scripted("b", seconds=HANGS))

    async def main() -> None:
        for _ in range(50):
            asked = asyncio.create_task(given.ask(1))
            await asyncio.sleep(0.01)
            asked.cancel()
            await asyncio.wait([asked])
        assert {each.standing for each in given.statistics().values()} == {"in"}

    run(main())
    assert arm.open == 0


def test_decisions_are_a_flow_that_several_read_and_that_bounds_what_it_keeps() -> None:
    arm = Scripted("a")
    given = supervisor(arm, default=0, keep=4, breaker=lambda: Breaker(least=1, wait=1, most=1))

    async def main() -> Any:
        quick = asyncio.create_task(given.decisions.pipe(ops.take(9)).to_list())
        for round_ in range(9):
            arm.fails = float(round_ % 2 == 0)
            await given.ask(1)
            await asyncio.sleep(2)
        late = await given.decisions.pipe(ops.take(4)).to_list()
        return await quick, late

    quick, late = run(main())
    assert len({each.at for each in quick}) > 1
    assert tuple(late) == given.recent()
    assert quick[0].fact()["payload"]["what"] == quick[0].what
