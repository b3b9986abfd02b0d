"""fallback, quorum, quarantine and watchdog: an answer in any case, and how it came about."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.errors import PipelineError, QuorumError, RefusedError, StalledError
from rxml.flow.chunk import Chunk
from rxml.flow.context import Context
from rxml.resilience import Breaker, Ladder, Poison
from rxml.testing import Never, Sleep, scripted
from rxml.testing.virtual_time import run
from tests.unit.flow.ledger import ANSWERED, DEAD, DROPPED, Ledger, read, reading
from tests.unit.operators.live import LOOSE_OPS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rxml.flow.supervision import DeadLetter


def now() -> float:
    return asyncio.get_running_loop().time()


def odd(x: int) -> int:
    return x % 2


def inverse(x: int) -> float:
    return 1 / (x % 2)


def taking(seconds: float, factor: int = 1) -> Callable[[int], Awaitable[int]]:
    async def model(x: int) -> int:
        await asyncio.sleep(seconds)
        return x * factor

    return model


async def failing(x: int) -> int:
    raise KeyError(x)


def one(flow: Any) -> tuple[Any, float]:
    """The only result, and when it came."""

    async def main() -> tuple[Any, float]:
        (result,) = await flow.to_list()
        return result, now()

    return run(main())


def shown(answer: ops.Answer[Any]) -> tuple[Any, ...]:
    return answer.value, answer.rung, answer.name, answer.reason, answer.inflation


def test_the_best_rung_that_works_answers_and_says_so() -> None:
    rungs = [ops.Rung(failing), ops.Rung(taking(1, 3), "small", inflation=1.5)]
    answer, _ = one(rxml.of(2).pipe(ops.fallback(*rungs)))
    assert shown(answer) == (6, 1, "small", "error: KeyError", 1.5)
    assert answer.degraded


def test_a_slow_rung_leaves_time_for_the_next_before_the_deadline() -> None:
    answer, when = one(
        rxml.of(2).pipe(ops.deadline(4), ops.fallback(taking(99), taking(0.5), default=0))
    )
    assert shown(answer)[:4] == (2, 1, "model", "late")
    assert when == 3.5


def test_a_rung_has_its_own_limit() -> None:
    rungs = ops.Rung(taking(99), within=2), taking(1)
    answer, when = one(rxml.of(2).pipe(ops.fallback(*rungs)))
    assert (answer.rung, answer.reason, when) == (1, "late", 3)


def test_past_the_deadline_the_default_answers() -> None:
    late = Chunk([2], [Context(deadline=0)])
    answer, _ = one(scripted(late).pipe(ops.fallback(taking(0), default=7)))
    assert shown(answer) == (7, 1, "default", "late", 1.0)


def test_without_a_default_the_last_error_comes_out() -> None:
    with pytest.raises(KeyError, match="2"):
        one(rxml.of(2).pipe(ops.fallback(failing, failing)))


def test_the_policy_that_refused_is_the_reason() -> None:
    guarded: ops.Guard[int, int] = ops.Guard(failing, breaker=Breaker(least=1))
    flow = rxml.of(1, 2).pipe(ops.fallback(guarded, default=0, concurrency=1))
    assert [answer.reason for answer in run(flow.to_list())] == ["error: KeyError", "breaker"]


def test_a_ladder_goes_down_while_answers_are_late_and_up_again() -> None:
    pause = [2.0]

    async def primary(x: int) -> int:
        await asyncio.sleep(pause[0])
        return x

    ladder = Ladder(2, 1.0, down_after=3, up_after=30)

    async def main() -> list[int]:
        rungs: list[int] = []
        flow = rxml.range(600).pipe(
            ops.fallback(primary, taking(0.1), ladder=ladder, concurrency=1)
        )
        async for answer in flow:
            rungs.append(answer.rung)
            pause[0] = 2.0 if len(rungs) < 60 else 0.1
            assert (answer.reason == "overload") == (answer.rung == 1)
        return rungs

    rungs = run(main())
    changes = [at for at in range(1, 600) if rungs[at] != rungs[at - 1]]
    assert [rungs[at] for at in changes] == [1, 0]
    assert changes[0] < 30
    assert changes[1] > 300


def test_a_caller_that_goes_away_cancels_the_rung() -> None:
    async def main() -> None:
        flow = rxml.of(1).pipe(ops.fallback(taking(99), default=0))
        async with flow.open() as subscription:
            task = asyncio.create_task(subscription.request(1))
            await asyncio.sleep(1)
            task.cancel()
            await asyncio.wait([task])

    run(main())


MODELS = {"a": taking(1, 1), "b": taking(2, 10), "c": taking(9, 100)}


def test_those_who_reply_in_time_answer_and_the_rest_is_flagged() -> None:
    quorum, when = one(rxml.of(3).pipe(ops.quorum(MODELS, need=2, within=4)))
    assert quorum.answers == {"a": 3, "b": 30}
    assert quorum.missing == {"c": "late"}
    assert (quorum.complete, when) == (False, 4)


def test_when_all_have_replied_nobody_waits() -> None:
    quorum, when = one(rxml.of(3).pipe(ops.quorum(MODELS, need=1, within=60)))
    assert (quorum.complete, list(quorum.answers), when) == (True, ["a", "b", "c"], 9)


def test_the_elements_deadline_comes_before_the_limit() -> None:
    flow = rxml.of(3).pipe(ops.deadline(2), ops.quorum(MODELS, need=1, within=60))
    quorum, when = one(flow)
    assert list(quorum.answers) == ["a"]
    assert when == pytest.approx(1.9)


def test_too_few_fail_at_once_and_say_why() -> None:
    async def main() -> None:
        flow = rxml.of(3).pipe(ops.quorum({**MODELS, "d": failing}, need=4, within=60))
        with pytest.raises(
            QuorumError, match=r"0 of 4 models have answered, 4 are needed; .*d: error: KeyError"
        ):
            await flow.to_list()
        assert now() == 0

    run(main())


def test_what_combines_makes_the_answer() -> None:
    flow = rxml.of(3).pipe(
        ops.quorum(
            MODELS, need=2, within=4, combine=lambda q: (sum(q.answers.values()), len(q.missing))
        )
    )
    assert one(flow)[0] == (33, 1)


def test_an_element_without_quorum_is_the_supervisors() -> None:
    ledger = Ledger()
    source = ledger.source(ledger.chunk(0, 1))

    async def picky(x: int) -> int:
        return 1 // x

    flow = source.pipe(ops.quorum([picky], need=1, within=1), ops.supervise("resume"))
    assert [each.answers for each in read(flow).results] == [{"picky": 1}]
    assert (ledger[ANSWERED], ledger[DEAD]) == ("1", "0")


def test_a_key_that_leads_to_dead_letters_is_kept_out() -> None:
    letters: list[DeadLetter] = []
    tried: list[int] = []

    def check(x: int) -> float:
        tried.append(x)
        return 1 / (x % 2)

    source: Any = scripted(*[step for x in range(8) for step in (x, Sleep(1))])
    flow = source.pipe(
        ops.quarantine(odd, after=2),
        ops.map(check),
        ops.supervise("resume", dead_letters=letters.append),
    )
    assert run(flow.to_list()) == [1.0] * 4
    assert tried == [0, 1, 2, 3, 5, 7]
    assert [letter.element for letter in letters] == [0, 2, 4, 6]
    assert isinstance(letters[-1].error, RefusedError)
    assert letters[-1].error.policy == "quarantine"


def test_an_answer_clears_a_key() -> None:
    poison = Poison(2)
    ledger = Ledger()
    steps = [step for x in [0, 1, 2, 3, 4] for step in (x, Sleep(1))]

    async def main() -> Any:
        source: Any = ledger.source(*steps)
        flow = source.pipe(
            ops.quarantine(lambda _: "k", poison=poison),
            ops.map(inverse),
            ops.supervise("resume"),
        )
        return (await reading(flow)).results

    assert run(main()) == [1.0, 1.0]
    assert not poison.quarantined("k")
    assert (ledger[ANSWERED], ledger[DEAD]) == ("13", "024")


def test_a_poison_that_is_shared_keeps_a_key_out_of_the_next_run() -> None:
    poison = Poison(1)
    poison.failed(7)
    flow = rxml.of(7, 8).pipe(ops.quarantine(abs, poison=poison), ops.supervise("stop"))
    assert run(flow.to_list()) == [8]
    assert poison.release(7)
    assert run(flow.to_list()) == [7, 8]


def hanging(at: int) -> Callable[[int], Awaitable[int]]:
    async def ask(x: int) -> int:
        await asyncio.sleep(1e6 if x == at else 1)
        return x

    return ask


def test_a_stalled_stage_is_started_anew_and_the_rest_goes_on() -> None:
    stalls: list[StalledError] = []
    ledger = Ledger()
    source = ledger.source(1, 2, 3)
    watched = ops.watchdog(
        ops.map_async(hanging(2), concurrency=1), stall=5, on_stall=stalls.append
    )
    assert read(source.pipe(watched)).results == [1, 3]
    assert (ledger[ANSWERED], ledger[DROPPED]) == ("13", "2")
    assert "1 elements went in, and nothing came out for 5 s" in str(stalls[0])


def test_a_quiet_source_is_not_a_stall() -> None:
    source = scripted(1, Sleep(1000), 3)
    watched = ops.watchdog(ops.map_async(hanging(2), concurrency=2), stall=5, restarts=0)
    assert run(source.pipe(watched).to_list()) == [1, 3]


def test_a_reader_that_does_not_ask_is_not_a_stall() -> None:
    async def main() -> list[Any]:
        watched = ops.watchdog(ops.map_async(hanging(9), concurrency=2), stall=5, restarts=0)
        async with scripted(1, 2, Never()).pipe(watched).open() as subscription:
            got = list((await subscription.request(1)).elements)
            await asyncio.sleep(1000)
            return got + list((await subscription.request(1)).elements)

    assert run(main()) == [1, 2]


def test_what_stalls_too_often_fails() -> None:
    watched = ops.watchdog(ops.map_async(taking(1e6), concurrency=1), stall=5, restarts=2)

    async def main() -> None:
        with pytest.raises(StalledError):
            await rxml.range(9).pipe(watched).to_list()
        assert 15 <= now() < 16

    run(main())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (LOOSE_OPS.fallback, "at least one function"),
        (lambda: LOOSE_OPS.fallback(5), "wants a function that answers an element"),
        (
            lambda: LOOSE_OPS.fallback(failing, ladder=Ladder(3, 1)),
            "a ladder of 1 rungs, got one of 3",
        ),
        (lambda: LOOSE_OPS.quorum([], need=1, within=1), "at least one model"),
        (lambda: LOOSE_OPS.quorum({"a": 5}, need=1, within=1), "the model 'a' wants a function"),
        (lambda: LOOSE_OPS.quarantine(abs, poison=5), "poison as a Poison, got 5"),
        (lambda: LOOSE_OPS.watchdog(5), "is an operator"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        make()


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="need <= 1"):
        ops.quorum([failing], need=2, within=1)
    with pytest.raises(ValueError, match="within > 0"):
        ops.quorum([failing], need=1, within=0)
    with pytest.raises(ValueError, match="stall > 0"):
        ops.watchdog(LOOSE_OPS.take(1), stall=0)
