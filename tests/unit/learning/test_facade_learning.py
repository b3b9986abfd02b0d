"""The facade under virtual time: turns, ends, progress, and how configs are refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from math import nan
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from rxml.errors import ProtocolError, WorkerLostError
from rxml.learning.facade import LearningConfig, LearningResult, ModelLearning, Progress
from rxml.learning.facade.frames import (
    HEAD,
    MOST,
    Failed,
    Kind,
    Made,
    Told,
    answer,
    body_of,
    frame,
    head,
)
from rxml.testing.virtual_time import run
from tests.unit.learning.facade_scripted import ARTEFACT, Scripted, made

CONFIG = LearningConfig("shop:train", timeout=10.0)


def learned(script: Scripted, config: LearningConfig = CONFIG) -> LearningResult:
    async def main() -> LearningResult:
        async with ModelLearning(launch=script) as learning:
            return await learning.learn(config)

    return run(main())


def test_what_is_trained_comes_back_with_the_time_it_took() -> None:
    result = learned(Scripted([3.0, made(0.5)]))
    assert (result.outcome, result.reason, result.trained) == ("trained", "", True)
    assert (result.artefact, result.seconds, result.config) == (ARTEFACT, 3.0, CONFIG)
    assert (result.metrics, result.intervals) == ({"rmse": 0.5}, {"rmse": (0.4, 0.6)})


@pytest.mark.parametrize(
    ("said", "outcome", "reason"),
    [
        (Failed("ValueError", "no rows"), "failed", "ValueError: no rows"),
        (Failed("MemoryError", "too much"), "out_of_memory", "MemoryError: too much"),
        (WorkerLostError("it died"), "crashed", "it died"),
        (ProtocolError("noise"), "failed", "ProtocolError: noise"),
        (OSError("the disk is full"), "failed", "OSError: the disk is full"),
        (TimeoutError("its own"), "failed", "TimeoutError: its own"),
        (OverflowError("too large"), "failed", "OverflowError: too large"),
        (99.0, "timed_out", "it took more than 10 s, and was killed"),
    ],
)
def test_whatever_else_happens_is_a_result(said: Any, outcome: str, reason: str) -> None:
    script = Scripted([1.0, said, made()])
    result = learned(script)
    assert (result.outcome, result.reason, result.artefact) == (outcome, reason, None)
    assert script.open == 0


def test_so_many_run_at_once_so_many_wait_and_others_are_refused() -> None:
    script = Scripted([1.0, made()])

    async def main() -> list[LearningResult]:
        async with ModelLearning(at_once=2, waiting=1, launch=script) as learning:
            trainings = [learning.start(CONFIG) for _ in range(5)]
            return [await each.result() for each in trainings]

    results = run(main())
    assert [each.outcome for each in results] == ["trained"] * 3 + ["refused"] * 2
    assert [each.seconds for each in results] == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert script.most == 2
    assert "3 trainings run or wait already" in results[-1].reason


def test_progress_is_a_flow_that_ends_with_the_training() -> None:
    script = Scripted([1.0, Told(1, 3, {"loss": 0.5}), 1.0, Told(2, 3, {}), 1.0, made()])
    heard: list[Progress] = []

    async def main() -> tuple[list[Progress], list[Progress], Progress | None]:
        async with ModelLearning(launch=script) as learning:
            training = learning.start(CONFIG, on_progress=heard.append)
            assert (training.latest, training.done) == (None, False)
            live = await training.progress.to_list()
            assert training.done
            return live, await training.progress.to_list(), training.latest

    live, again, latest = run(main())
    assert live == [Progress(1, 3, {"loss": 0.5}, 1.0), Progress(2, 3, {}, 2.0)]
    assert again == live == heard
    assert latest == live[-1]


def test_who_fails_to_hear_of_progress_fails_no_training(caplog: pytest.LogCaptureFixture) -> None:
    def broken(progress: Progress) -> None:
        raise RuntimeError(f"no room for {progress.done}")

    async def main() -> str:
        script = Scripted([Told(1, 3, {}), Told(2, 3, {}), made()])
        async with ModelLearning(launch=script) as learning:
            return (await learning.start(CONFIG, on_progress=broken).result()).outcome

    assert run(main()) == "trained"
    assert "no room for 1" in caplog.text
    assert "no room for 2" in caplog.text


@pytest.mark.parametrize("waiting", [False, True])
def test_a_training_can_be_cancelled_while_it_runs_or_waits(*, waiting: bool) -> None:
    script = Scripted([5.0, made()])

    async def main() -> LearningResult:
        async with ModelLearning(launch=script) as learning:
            other = learning.start(CONFIG)
            training = learning.start(CONFIG) if waiting else other
            await asyncio.sleep(2.0)
            training.cancel()
            result = await training.result()
            training.cancel()
            assert (await other.result()).outcome == ("trained" if waiting else "cancelled")
            return result

    result = run(main())
    assert (result.outcome, result.reason, result.seconds) == ("cancelled", "it was cancelled", 2.0)
    assert len(script.begun) == 1


def test_who_is_cancelled_waiting_for_learn_ends_the_training() -> None:
    script = Scripted([5.0, made()])

    async def main() -> None:
        async with ModelLearning(launch=script) as learning:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(learning.learn(CONFIG), 1.0)
            assert script.open == 0

    run(main())


def test_closing_ends_all_and_nothing_begins_afterwards() -> None:
    script = Scripted([5.0, made()])

    async def main() -> list[str]:
        learning = ModelLearning(launch=script)
        trainings = [learning.start(CONFIG), learning.start(CONFIG)]
        await asyncio.sleep(0)
        await learning.aclose()
        with pytest.raises(RuntimeError, match="closed"):
            learning.start(CONFIG)
        return [(await each.result()).outcome for each in trainings]

    assert run(main()) == ["cancelled", "cancelled"]
    assert script.open == 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"trainer": "shop.train"}, "module:function"),
        ({"trainer": "shop:train()"}, "module:function"),
        ({"timeout": 0.0}, "timeout"),
        ({"timeout": nan}, "timeout"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"threads": 0}, "threads"),
        ({"memory": 1000}, "memory"),
        ({"hyperparameters": {"loss": print}}, "plain values"),
    ],
)
def test_a_config_that_is_none_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(CONFIG, **wrong)


@pytest.mark.parametrize("wrong", [{"at_once": 0}, {"waiting": -1}, {"keep": 0}])
def test_a_facade_refuses_numbers_out_of_range(wrong: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ModelLearning(**wrong)


def test_frames_are_taken_for_what_a_stranger_sent() -> None:
    whole = frame(Told(1.0, 2.0, {"loss": 0.5}))
    kind, size = head(whole[: HEAD.size])
    assert answer(kind, whole[HEAD.size :]) == Told(1.0, 2.0, {"loss": 0.5})
    assert len(whole) == HEAD.size + size
    for noise in (HEAD.pack(9, 0), HEAD.pack(1, MOST + 1)):
        with pytest.raises(ProtocolError, match="none of ours"):
            head(noise)
    with pytest.raises(ProtocolError, match="ORDER"):
        answer(Kind.ORDER, b"")
    for body in (b"", b"\xc1", msgspec.msgpack.encode([1.0, "x", {}]), b"\x93\xff\xa1\xff\x80"):
        with pytest.raises(ProtocolError, match="no Told came"):
            body_of(body, Told)
    with pytest.raises(ValueError, match="put them into a file"):
        frame(Failed("ValueError", "x" * MOST))


SAID: list[Any] = [Told(1.0, 2.0, {"loss": 0.5}), Failed("ValueError", "no rows"), made()]


@given(st.sampled_from(SAID), st.binary(max_size=40), st.integers(0, 300), st.integers(0, 40))
def test_whatever_comes_is_an_answer_or_noise(said: Any, noise: bytes, at: int, gone: int) -> None:
    body = frame(said)[HEAD.size :]
    spoilt = body[: at % len(body)] + noise + body[at % len(body) + gone :]
    for kind in (Kind.PROGRESS, Kind.MADE, Kind.FAILED):
        try:
            found = answer(kind, spoilt)
        except ProtocolError:
            continue
        assert isinstance(found, Told | Made | Failed)
