"""Supervision trees: who is started anew, when, in which order, and when that is given up."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.errors import AlreadyRunningError, EscalatedError, PipelineError
from rxml.facts import FactLog
from rxml.resilience import Backoff
from rxml.supervising import Happening, Supervised, SupervisionTree
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

FOREVER = 1e6
WRONG: Any = "wrong"
AT_ONCE = Backoff(0.0)


class Longest(Random):
    """No jitter."""

    @override
    def uniform(self, a: float, b: float) -> float:
        assert a == 0
        return b


class Stage:
    """Notes when children begin and end; each fails as often as it is told, one second after its start."""

    def __init__(self, **failures: int) -> None:
        self.log: list[str] = []
        self.failures = failures

    def child(self, name: str, **how: Any) -> Supervised:
        async def act() -> None:
            self.log.append(f"+{name}")
            try:
                await asyncio.sleep(1)
                self.failures[name] = self.failures.get(name, 0) - 1
                if self.failures[name] >= 0:
                    raise OSError(name)
                await asyncio.sleep(FOREVER)
            finally:
                self.log.append(f"-{name}")

        return Supervised(act, name=name, **how)


def now() -> float:
    return asyncio.get_running_loop().time()


def played(stage: Stage, *names: str, **how: Any) -> list[str]:
    async def main() -> None:
        async with SupervisionTree(*map(stage.child, names), backoff=AT_ONCE, **how):
            await asyncio.sleep(10)
            stage.log.append("|")

    run(main())
    return stage.log


def test_one_for_one_starts_anew_only_the_one_that_has_failed() -> None:
    got = played(Stage(b=1), "a", "b", "c")
    assert got == ["+a", "+b", "+c", "-b", "+b", "|", "-c", "-b", "-a"]


def test_one_for_all_stops_in_reverse_and_starts_all_in_order() -> None:
    got = played(Stage(b=1), "a", "b", "c", strategy="one_for_all")
    assert got == ["+a", "+b", "+c", "-b", "-c", "-a", "+a", "+b", "+c", "|", "-c", "-b", "-a"]


def test_rest_for_one_starts_anew_those_behind() -> None:
    got = played(Stage(b=1), "a", "b", "c", "d", strategy="rest_for_one")
    assert got == [
        "+a",
        "+b",
        "+c",
        "+d",
        "-b",
        "-d",
        "-c",
        "+b",
        "+c",
        "+d",
        "|",
        "-d",
        "-c",
        "-b",
        "-a",
    ]


def ending(error: Exception | None) -> Callable[[], Awaitable[None]]:
    async def act() -> None:
        if error is not None:
            raise error

    return act


@pytest.mark.parametrize(
    ("lasting", "error", "starts"),
    [
        ("permanent", None, 4),
        ("permanent", OSError(), 4),
        ("transient", None, 1),
        ("transient", OSError(), 4),
        ("temporary", None, 1),
        ("temporary", OSError(), 1),
    ],
)
def test_whether_a_child_is_started_anew_is_said_by_how_it_lasts(
    lasting: Any, error: Exception | None, starts: int
) -> None:
    child = Supervised(ending(error), name="x", lasting=lasting)
    tree = SupervisionTree(child, restarts=3, backoff=AT_ONCE)
    if starts == 1:
        run(tree.run())
    else:
        with pytest.raises(EscalatedError) as escalated:
            run(tree.run())
        assert escalated.value.__cause__ is error
        assert tree.recent()[-1].what == "escalated"
    assert sum(each.what == "started" for each in tree.recent()) == starts


def test_waits_grow_and_a_row_ends_when_nothing_fails_for_the_period() -> None:
    starts: list[float] = []

    async def failing() -> None:
        starts.append(now())
        if len(starts) == 4:
            await asyncio.sleep(100)
        if len(starts) == 6:
            return
        raise OSError

    run(SupervisionTree(Supervised(failing, lasting="transient"), random=Longest()).run())
    assert starts == pytest.approx([0, 0.1, 0.3, 0.7, 100.8, 101.0])


def test_a_child_that_waits_for_its_turn_does_not_hold_up_another() -> None:
    stage = Stage(a=1, b=1)
    tree = SupervisionTree(
        stage.child("a"), stage.child("b"), backoff=Backoff(5.0, 2.0, 10.0), random=Longest()
    )

    async def main() -> None:
        async with tree:
            await asyncio.sleep(1.5)
            assert not tree.alive
            await asyncio.sleep(5)
            assert list(tree.alive) == ["a"]  # since 6
            await asyncio.sleep(5)
            assert list(tree.alive) == ["a", "b"]  # since 11

    run(main())


def test_too_many_failures_stop_all_and_are_the_failure_of_the_tree_above() -> None:
    stage = Stage(bad=100)
    inner = SupervisionTree(
        stage.child("good"), stage.child("bad"), restarts=1, backoff=AT_ONCE, name="inner"
    )
    outer = SupervisionTree(inner, restarts=1, backoff=AT_ONCE, name="outer")
    with pytest.raises(EscalatedError, match="outer: SupervisionTree EscalatedError: inner: bad"):
        run(outer.run())
    half = ["+good", "+bad", "-bad", "+bad", "-bad", "-good"]
    assert stage.log == half + half


def test_the_next_child_begins_when_the_one_before_is_ready() -> None:
    stage = Stage()
    moments: list[float] = []

    async def ready() -> None:
        await asyncio.sleep(3)
        moments.append(now())

    async def main() -> None:
        async with SupervisionTree(stage.child("a", ready=ready), stage.child("b")):
            assert moments == [now()] == [3]
            await asyncio.sleep(1)
        assert stage.log == ["+a", "+b", "-b", "-a"]

    run(main())


def test_a_child_that_never_gets_ready_has_failed() -> None:
    tries = [0]

    async def ready() -> None:
        tries[0] += 1
        if tries[0] < 3:
            raise ConnectionError("nobody there")

    stage = Stage()

    async def main() -> None:
        tree = SupervisionTree(stage.child("a", ready=ready), backoff=AT_ONCE)
        async with tree:
            await asyncio.sleep(1)
            failed = [each.reason for each in tree.recent() if each.what == "failed"]
            assert failed == ["ConnectionError: nobody there"] * 2
            assert tree.alive == ("a",)

    run(main())


def test_who_gives_up_while_a_child_gets_ready_leaves_none_behind() -> None:
    stage = Stage()

    async def never() -> None:
        await asyncio.sleep(FOREVER)

    tree = SupervisionTree(stage.child("a"), stage.child("b", ready=never))

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2), tree:
                pytest.fail("it is not ready")
        assert stage.log == ["+a", "+b", "-b", "-a"]
        assert tree.alive == ()

    run(main())


@pytest.mark.parametrize("lasting", ["transient", "temporary"])
def test_a_child_that_ends_as_another_fails_has_ended_for_good(lasting: Any) -> None:
    starts: list[str] = []

    async def fails() -> None:
        starts.append("fails")
        await asyncio.sleep(1)
        if starts.count("fails") == 1:
            raise OSError

    async def ends() -> None:
        starts.append("ends")
        await asyncio.sleep(1)

    tree = SupervisionTree(
        Supervised(fails, lasting="transient"),
        Supervised(ends, lasting=lasting),
        strategy="one_for_all",
    )
    run(tree.run())
    assert starts == ["fails", "ends", "fails"]
    assert [each.what for each in tree.recent() if each.child == "ends"] == ["started", "ended"]


def test_a_child_that_somebody_else_cancels_has_failed() -> None:
    tasks: list[asyncio.Task[Any] | None] = []

    async def child() -> None:
        tasks.append(asyncio.current_task())
        await asyncio.sleep(FOREVER)

    async def main() -> None:
        async with SupervisionTree(child, backoff=AT_ONCE):
            await asyncio.sleep(1)
            assert tasks[0] is not None
            tasks[0].cancel()
            await asyncio.sleep(1)
            assert len(tasks) == 2

    run(main())


def test_flows_are_children_and_one_watches() -> None:
    seen: list[Any] = []
    stage = Stage()
    flow = rxml.interval(1).pipe(ops.take(3), ops.do_action(seen.append))

    async def main() -> None:
        tree = SupervisionTree(
            Supervised(flow, name="ticks", lasting="transient"), stage.child("other")
        )
        watching = asyncio.ensure_future(tree.watch("ticks").pipe(ops.take(2)).to_list())
        async with tree:
            await asyncio.sleep(5)
            assert [(each.child, each.what) for each in await watching] == [
                ("ticks", "started"),
                ("ticks", "ended"),
            ]
        with pytest.raises(PipelineError, match="no child 'x'"):
            _ = tree.watch("x")

    run(main())
    assert seen == [0, 1, 2]


def test_what_happened_can_be_kept_as_facts(tmp_path: Path) -> None:
    tree = SupervisionTree(Supervised(ending(OSError("x")), name="y", lasting="temporary"))
    run(tree.run())

    async def kept() -> list[Any]:
        async with FactLog(tmp_path / "facts.db") as log:
            happened = rxml.from_iterable(tree.recent())
            await happened.pipe(ops.map(Happening.fact), log.append()).run()
            return await log.read(batches=False).to_list()

    facts = asyncio.run(kept())
    assert [(fact.key, fact.payload["what"]) for fact in facts] == [
        ("tree/y", "started"),
        ("tree/y", "failed"),
    ]


def test_the_failure_of_the_body_comes_first() -> None:
    async def main() -> None:
        async with SupervisionTree(ending(OSError("x")), restarts=0):
            await asyncio.sleep(1)
            raise KeyError("body")

    with pytest.raises(KeyError, match="body") as caught:
        run(main())
    assert "failed too often" in caught.value.__notes__[0]


def test_it_runs_once_at_a_time_and_waits() -> None:
    async def main() -> None:
        tree = SupervisionTree(Supervised(ending(None), name="x", lasting="temporary"))
        async with tree:
            with pytest.raises(AlreadyRunningError):
                async with tree:
                    pass
            await tree.wait()
        await tree.run()

    run(main())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (SupervisionTree, "at least one"),
        (lambda: SupervisionTree(ending(None), ending(None)), "several children are called act"),
        (lambda: SupervisionTree(ending(None), strategy=WRONG), "wants one of"),
        (lambda: SupervisionTree(ending(None), restarts=-1), "restarts"),
        (lambda: SupervisionTree(ending(None), seconds=0), "seconds"),
        (lambda: Supervised(ending(None), lasting=WRONG), "wants one of"),
        (lambda: Supervised(WRONG), "wants a function"),
    ],
)
def test_wrong_arguments_are_refused(wrong: Any, message: str) -> None:
    with pytest.raises((ValueError, PipelineError), match=message):
        wrong()


@given(
    strategy=st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"]),
    failures=st.lists(st.integers(0, 3), min_size=1, max_size=5),
    seed=st.integers(0, 1000),
)
def test_whatever_fails_all_run_in_the_end_and_none_twice(
    strategy: Any, failures: list[int], seed: int
) -> None:
    names = [str(i) for i in range(len(failures))]
    stage = Stage(**dict(zip(names, failures, strict=True)))

    async def main() -> None:
        tree = SupervisionTree(*map(stage.child, names), strategy=strategy, restarts=100)
        async with tree:
            await asyncio.sleep(200)
            assert list(tree.alive) == names
        assert tree.alive == ()

    run(main(), seed=seed)
    for name in names:
        marks = [each[0] for each in stage.log if each[1:] == name]
        assert marks == ["+", "-"] * (len(marks) // 2)
        assert len(marks) // 2 >= failures[int(name)] + 1
