from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import models
from rxml import operators as ops
from rxml.errors import PipelineError
from rxml.flow.service import Service
from rxml.models.live import Decision, Limits
from rxml.testing.virtual_time import run
from tests.unit.models.live.releases import (
    BROKEN,
    Version,
    X,
    each_after,
    rows,
    timed_rows,
    times,
)
from tests.unit.models.scoring.places import Timed

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable

STABLE = times(1)


class Places:
    """A model runs where it is told, any other one on the loop."""

    def __init__(self, model: Any, place: Timed) -> None:
        self.model = model
        self.place = place

    async def open(self, model: Any, ready: Any) -> Any:
        place = self.place if model is self.model else models.on_loop()
        return await place.open(model, ready)


def tried(
    candidate: Any, flow: Flowable[Any], *, stable: Any = STABLE, **how: Any
) -> tuple[list[Any], list[Decision]]:
    """What is answered, and what is decided."""
    decisions: list[Decision] = []
    how = {"key": "id", "on": models.on_loop(), "share": 0.3, **how}
    operator = ops.canary(stable, candidate, on_decision=decisions.append, **how)
    return run(flow.pipe(operator).to_list()), decisions


def kinds(decisions: list[Decision]) -> list[str]:
    return [each.kind for each in decisions]


def test_a_candidate_that_proves_itself_gets_all_stage_by_stage() -> None:
    answers, decisions = tried(
        times(2), timed_rows(8000), share=(0.1, 0.3), until=50, guard=Limits(alpha=0.05)
    )
    assert kinds(decisions) == ["begun", "raised", "promoted"]
    assert [each.share for each in decisions] == [0.1, 0.3, 1.0]
    assert {each["arm"] for each in answers[-200:]} == {"candidate"}
    assert {each["propensity"] for each in answers[-200:]} == {1.0}
    early = [each["arm"] for each in answers[:500]].count("candidate")
    assert 25 < early < 80


def test_who_was_answered_by_the_candidate_stays_with_it_as_the_share_rises() -> None:
    flow = timed_rows(500).pipe(ops.repeat(3))
    answers, decisions = tried(times(2), flow, share=(0.1, 0.4), until=60, guard=None)
    assert "raised" in kinds(decisions)
    rounds = [answers[at : at + 500] for at in range(0, 1500, 500)]
    had = [{i for i, each in enumerate(one) if each["arm"] == "candidate"} for one in rounds]
    assert had[0] < had[1] <= had[2]


def test_a_candidate_that_fails_is_rolled_back_and_nobody_notices() -> None:
    answers, decisions = tried(BROKEN, timed_rows(400))
    assert kinds(decisions) == ["begun", "rolled_back"]
    assert decisions[1].reason == "errors"
    assert decisions[1].outcomes < 20
    assert [each.value for each in answers] == [1.0] * 400
    fell = [each for each in answers if each.degraded]
    assert len(fell) == decisions[1].errors
    assert {(each["arm"], each["rung"], each["reason"]) for each in fell} == {
        ("stable", "stable", "error: OSError")
    }


def test_a_candidate_that_is_slow_is_rolled_back() -> None:
    slow = times(2)
    _, decisions = tried(
        slow,
        timed_rows(400),
        on=Places(slow, Timed(workers=8, base=3.0)),
        guard=Limits(seconds=1.0),
        ordered=False,
    )
    assert kinds(decisions) == ["begun", "rolled_back"]
    assert decisions[1].reason == "slow"


def test_a_candidate_that_hangs_is_rolled_back_though_it_never_answers() -> None:
    hanging = times(2)

    async def main() -> tuple[list[Any], list[Decision]]:
        decisions: list[Decision] = []
        operator = ops.canary(
            STABLE,
            hanging,
            key="id",
            share=0.3,
            guard=Limits(seconds=1.0),
            on=Places(hanging, Timed(base=1e5)),
            on_decision=decisions.append,
        )
        async with Service(operator) as service:
            asked: list[asyncio.Future[Any]] = []
            for row in rows(300):
                await asyncio.sleep(1)
                asked.append(service.ask(row, within=5.0))
            answers: list[Any] = await asyncio.gather(*asked, return_exceptions=True)
        return answers, decisions

    answers, decisions = run(main())
    assert kinds(decisions) == ["begun", "rolled_back"]
    assert decisions[1].reason == "slow"
    assert {type(each).__name__ for each in answers[150:]} == {"Routed"}


def test_what_waits_for_a_candidate_is_answered_by_the_stable_model_once_it_is_rolled_back() -> (
    None
):
    place = Timed(base=20.0)
    answers, decisions = tried(
        BROKEN,
        timed_rows(1).pipe(ops.concat(rxml.from_iterable(rows(1000)))),
        on=Places(BROKEN, place),
        max_batch=4,
    )
    assert kinds(decisions) == ["begun", "rolled_back"]
    assert [each.value for each in answers] == [1.0] * 1001
    reasons = Counter(each["reason"] for each in answers)
    assert reasons["rolled back"] > 200
    assert reasons["error: OSError"] == decisions[1].errors < 20
    assert sum(map(len, place.batches)) < 60


def test_what_the_candidate_has_not_answered_in_half_of_its_time_the_stable_model_answers() -> None:
    hanging = times(2)

    async def main() -> set[tuple[str, str, float]]:
        on = Places(hanging, Timed(base=1e5))
        operator = ops.canary(STABLE, hanging, key="id", share=0.5, guard=None, on=on)
        loop = asyncio.get_running_loop()
        async with Service(operator) as service:
            await asyncio.sleep(1)
            told: set[tuple[str, str, float]] = set()
            for row in rows(20):
                began = loop.time()
                answer: Any = await service.ask(row, within=4.0)
                told.add((answer["arm"], answer["reason"], loop.time() - began))
        return told

    assert run(main()) == {("stable", "", 0.0), ("stable", "late", 2.0)}


def test_values_that_shift_are_noticed_if_that_matters() -> None:
    drifting = models.from_function(lambda rows: rows["x"] + 0.1, inputs=X)
    _, decisions = tried(drifting, timed_rows(600), guard=Limits(shift=0.2))
    assert kinds(decisions) == ["begun", "rolled_back"]
    assert decisions[1].reason == "higher"
    _, decisions = tried(drifting, timed_rows(600))
    assert kinds(decisions) == ["begun"]


def test_each_edition_has_its_own_trial() -> None:
    def fails(_: Any) -> Any:
        raise OSError("down")

    editions = each_after(
        (0, Version(2, function=fails)), (300, Version(3, broken=True)), (1, Version(4))
    )
    answers, decisions = tried(editions, timed_rows(1000))
    assert [(each.kind, each.version) for each in decisions] == [
        ("begun", "2"),
        ("rolled_back", "2"),
        ("refused", "3"),
        ("begun", "4"),
    ]
    assert {each["version"] for each in answers if each["arm"] == "candidate"} == {"4"}


def test_another_stable_model_begins_the_trial_anew() -> None:
    stable = each_after((0, Version(1)), (100, Version(5)))
    _, decisions = tried(each_after((0, Version(2))), timed_rows(200), stable=stable)
    assert [(each.kind, each.stable) for each in decisions] == [("begun", "1"), ("begun", "5")]


def test_what_was_promoted_can_be_rolled_back() -> None:
    champions = each_after((0, Version(1)), (500, Version(2)), (200, Version(1)))
    flow = timed_rows(900)
    answers, decisions = tried(
        each_after((0, Version(2))), flow, stable=champions, until=20, guard=None
    )
    assert kinds(decisions) == ["begun", "promoted", "replaced"]
    assert decisions[-1].share == 0.0
    said = [(each["arm"], each["version"]) for each in answers]
    assert set(said[300:495]) == {("candidate", "2")}
    assert set(said[505:695]) == {("stable", "2")}
    assert set(said[705:]) == {("stable", "1")}


def test_without_a_candidate_the_stable_model_answers_all() -> None:
    late = each_after((50, Version(2)))
    answers, decisions = tried(late, timed_rows(100))
    assert {each["arm"] for each in answers[:45]} == {"stable"}
    assert {each["arm"] for each in answers} == {"stable", "candidate"}
    for wrong in (
        each_after((0, Version(2, broken=True))),
        each_after((0, Version(2, output="y"))),
    ):
        answers, decisions = tried(wrong, timed_rows(20))
        assert kinds(decisions) == ["refused"]
        assert {each["arm"] for each in answers} == {"stable"}


def test_a_model_that_was_rolled_back_is_let_go_of() -> None:
    place = Timed(base=0.01)
    tried(BROKEN, timed_rows(200), on=Places(BROKEN, place))
    assert place.closed == [BROKEN]


def test_what_fails_for_both_fails() -> None:
    letters: list[Any] = []
    flow = timed_rows(100).pipe(
        ops.canary(BROKEN, BROKEN, key="id", share=0.5, on=models.on_loop()),
        ops.supervise(lambda _: "resume", dead_letters=letters.append),
    )
    assert run(flow.to_list()) == []
    assert len(letters) == 100


def test_whoever_looks_on_cannot_stop_the_work() -> None:
    def looks(_: Decision) -> None:
        raise LookupError("not my day")

    count = 0

    async def main() -> None:
        nonlocal count
        flow = timed_rows(100).pipe(
            ops.canary(STABLE, BROKEN, key="id", on=models.on_loop(), on_decision=looks)
        )
        async for _ in flow:
            count += 1

    with pytest.raises(ExceptionGroup) as raised:
        run(main())
    assert count == 100
    assert {type(each) for each in raised.value.exceptions} == {LookupError}


@pytest.mark.parametrize("share", [0, 1, (), (0.5, 0.5), (0.5, 0.1), (0.5, 1.0)])
def test_shares_rise_between_none_and_all(share: Any) -> None:
    with pytest.raises(ValueError, match="share"):
        ops.canary(STABLE, BROKEN, key="id", share=share)


def test_a_guard_is_a_guard() -> None:
    with pytest.raises(PipelineError, match="wants a Guard"):
        ops.canary(STABLE, BROKEN, key="id", guard=0.1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
