"""Guard: a function behind policies, in virtual time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from math import nan
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.errors import (
    ConnectionLost,
    DeadlineError,
    PipelineError,
    RefusedError,
    RemoteError,
    StreamTimeoutError,
)
from rxml.flow.context import BESIDE, Context
from rxml.flow.guarding.bulkhead import Bulkhead
from rxml.flow.guarding.guard import Guard
from rxml.flow.guarding.retrying import Retry
from rxml.resilience import (
    Backoff,
    Breaker,
    Gradient,
    Hedging,
    Poison,
    RetryBudget,
    Throttle,
)
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def now() -> float:
    return asyncio.get_running_loop().time()


class Callee:
    """Takes the next number of seconds; raises what is an exception. Keeps who came when, and who was cancelled."""

    def __init__(self, *script: float | Exception) -> None:
        self.script = list(script)
        self.came: list[float] = []
        self.cancelled = 0

    async def __call__(self, item: Any) -> Any:
        self.came.append(now())
        step = self.script.pop(0) if self.script else 0.0
        if isinstance(step, Exception):
            raise step
        try:
            await asyncio.sleep(step)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return item


def under(deadline: float, call: Callable[[], Awaitable[Any]]) -> Any:
    """What the call gives for an element with that deadline, and when."""

    async def main() -> tuple[Any, float]:
        BESIDE.set(Context(deadline=deadline))
        try:
            return await call(), now()
        except (DeadlineError, RefusedError, KeyError) as error:
            return type(error), now()

    return run(main())


def test_a_call_without_policies_is_the_call() -> None:
    assert under(5, lambda: Guard(Callee(1))(7)) == (7, 1)


def test_nothing_is_begun_past_the_deadline() -> None:
    callee = Callee()
    assert under(0, lambda: Guard(callee)(7)) == (DeadlineError, 0)
    assert callee.came == []


def test_a_call_is_cut_off_at_the_deadline() -> None:
    callee = Callee(10)
    assert under(3, lambda: Guard(callee, timeout=5)(7)) == (DeadlineError, 3)
    assert callee.cancelled == 1


def test_a_call_is_cut_off_at_its_own_limit() -> None:
    async def main() -> None:
        with pytest.raises(StreamTimeoutError, match="limit of time"):
            await Guard(Callee(10), timeout=2)(7)
        assert now() == 2

    run(main())


def test_a_timeout_of_the_callees_own_is_its_own() -> None:
    error = TimeoutError("mine")

    async def main() -> None:
        with pytest.raises(TimeoutError) as caught:
            await Guard(Callee(error), timeout=2)(7)
        assert caught.value is error

    run(main())


def test_attempts_wait_longer_each_time_and_end_with_a_result() -> None:
    callee = Callee(KeyError(), KeyError())
    retry = Retry(attempts=3, backoff=Backoff(1, 3, 60))
    dice = Random(5)
    first, second = dice.uniform(0, 1), dice.uniform(0, 3)
    assert under(99, lambda: Guard(callee, retry=retry, random=Random(5))(7))[0] == 7
    assert callee.came == pytest.approx([0, first, first + second])


def test_no_attempt_would_begin_behind_the_deadline() -> None:
    callee = Callee(KeyError(), KeyError())
    retry = Retry(attempts=9, backoff=Backoff(1e6, 1, 1e6))
    assert under(5, lambda: Guard(callee, retry=retry)(7)) == (KeyError, 0)


def test_an_error_that_says_when_is_waited_for_and_a_final_one_is_not() -> None:
    busy = RemoteError("busy", "", retry_after=3.0)
    over = ConnectionLost("gone", final=True)
    callee = Callee(busy, over)
    retry = Retry(backoff=Backoff(0, 1, 0))

    async def main() -> None:
        with pytest.raises(ConnectionLost):
            await Guard(callee, retry=retry)(7)

    run(main())
    assert callee.came == [0, 3]


@pytest.mark.parametrize(
    ("said", "wait"), [(timedelta(seconds=3), 3), ("3", 0), (nan, 0), (-1, 0), (len, 0)], ids=str
)
def test_what_others_call_retry_after_does_not_hide_their_error(said: object, wait: float) -> None:
    busy = KeyError("busy")
    busy.retry_after = said  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    callee = Callee(busy)
    run(Guard(callee, retry=Retry(backoff=Backoff(0, 1, 0)))(7))
    assert callee.came == [0, wait]


def test_a_spent_budget_leaves_the_error_as_it_is() -> None:
    callee = Callee(KeyError(), KeyError())
    budget = RetryBudget(0, per_second=0)
    retry = Retry(budget=budget)
    assert under(9, lambda: Guard(callee, retry=retry)(7)) == (KeyError, 0)


def test_an_open_breaker_spares_the_callee_and_says_when_to_come_again() -> None:
    callee = Callee(*[KeyError()] * 4)
    guard: Guard[int, int] = Guard(callee, breaker=Breaker(least=2))

    async def main() -> None:
        for _ in range(2):
            with pytest.raises(KeyError):
                await guard(1)
        with pytest.raises(RefusedError, match=r"breaker: .*ask again in 5 s") as caught:
            await guard(1)
        assert (caught.value.policy, caught.value.retry_after) == ("breaker", 5)
        callee.script.clear()
        await asyncio.sleep(5)
        assert [await guard(x) for x in (1, 2, 3, 4)] == [1, 2, 3, 4]

    run(main())


@pytest.mark.parametrize("slow", [1.0, 9.0])
def test_hasty_callers_do_not_open_a_breaker_and_slow_callees_do(slow: float) -> None:
    breaker = Breaker(least=2, slow=slow)
    guard: Guard[int, int] = Guard(Callee(*[60.0] * 9), breaker=breaker)

    async def main() -> None:
        for _ in range(2):
            BESIDE.set(Context(deadline=now() + 2))
            with pytest.raises(DeadlineError):
                await guard(1)
        assert breaker.state(now()).value == ("open" if slow == 1 else "closed")

    run(main())


def test_a_caller_that_goes_away_says_nothing_of_the_callee() -> None:
    breaker = Breaker(least=1)
    guard: Guard[int, int] = Guard(Callee(60), breaker=breaker)

    async def main() -> None:
        task = asyncio.create_task(guard(1))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        assert breaker.state(now()).value == "closed"

    run(main())


def test_errors_that_are_the_callers_own_fault_do_not_count() -> None:
    breaker = Breaker(least=1)
    guard: Guard[int, int] = Guard(
        Callee(ValueError("mine"), KeyError()), breaker=breaker, blame=KeyError
    )

    async def main() -> None:
        with pytest.raises(ValueError, match="mine"):
            await guard(1)
        assert breaker.state(now()).value == "closed"
        with pytest.raises(KeyError):
            await guard(1)
        assert breaker.state(now()).value == "open"

    run(main())


def test_a_bulkhead_lets_so_many_in_has_so_many_wait_and_refuses_the_rest() -> None:
    callee = Callee(*[1.0] * 9)
    guard: Guard[int, int] = Guard(callee, bulkhead=Bulkhead(2, waiters=2, wait=5))

    async def main() -> list[Any]:
        return await asyncio.gather(*(guard(x) for x in range(6)), return_exceptions=True)

    ends = run(main())
    assert ends[:4] == [0, 1, 2, 3]
    assert [str(end) for end in ends[4:]] == ["bulkhead: 2 calls are under way and 2 wait"] * 2
    assert callee.came == [0, 0, 1, 1]


def test_who_waits_too_long_or_past_the_deadline_leaves_and_takes_no_place() -> None:
    callee = Callee(*[10.0] * 9)
    bulkhead = Bulkhead(1, waiters=5, wait=3)
    guard: Guard[int, int] = Guard(callee, bulkhead=bulkhead)

    async def late() -> int:
        BESIDE.set(Context(deadline=2))
        return await guard(2)

    async def main() -> list[Any]:
        calls = (guard(0), guard(1), late())
        ends: list[Any] = [*await asyncio.gather(*calls, return_exceptions=True)]
        assert (bulkhead.in_flight, bulkhead.load) == (0, 0)
        assert await guard(3) == 3
        return ends

    ends = run(main())
    assert ends[0] == 0
    assert "no place within 3 s" in str(ends[1])
    assert isinstance(ends[2], DeadlineError)
    assert callee.came == [0, 10]


def test_a_gradient_lowers_the_limit_of_a_callee_that_gets_slower() -> None:
    bulkhead = Bulkhead(Gradient(initial=16, window=0.1, samples=4), waiters=999, wait=999)
    pause = [0.1]

    async def callee(item: int) -> int:
        await asyncio.sleep(pause[0] * bulkhead.in_flight / 4)
        return item

    guard: Guard[int, int] = Guard(callee, bulkhead=bulkhead)

    async def main() -> None:
        await asyncio.gather(*(guard(x) for x in range(100)))
        pause[0] = 5.0
        assert sorted(await asyncio.gather(*(guard(x) for x in range(400)))) == list(range(400))

    run(main())
    assert bulkhead.limit < 8


def taught() -> Hedging:
    hedging = Hedging(least=1, share=0.5)
    for _ in range(10):
        hedging.record(1.0)
        hedging.called(0.0)
    return hedging


def test_a_slow_call_is_made_twice_and_the_loser_is_cancelled() -> None:
    callee = Callee(60, 2)
    assert under(99, lambda: Guard(callee, hedge=taught())(7)) == (7, 3)
    assert callee.came == [0, 1]
    assert callee.cancelled == 1


def test_a_call_that_fails_while_the_other_goes_on_does_not_matter() -> None:
    callee = Callee(5, KeyError())
    assert under(99, lambda: Guard(callee, hedge=taught())(7)) == (7, 5)


def test_if_both_attempts_fail_the_first_to_fail_says_why() -> None:
    callee = Callee(3, KeyError())
    hedge = taught()
    failing = Guard(callee, hedge=hedge, timeout=2)
    assert under(99, lambda: failing(7)) == (KeyError, 2)


def test_without_budget_or_under_load_nothing_is_hedged() -> None:
    callee = Callee(60, 60)
    assert under(99, lambda: Guard(callee, hedge=taught(), bulkhead=1)(7)) == (7, 60)
    assert len(callee.came) == 1


def test_a_throttle_spares_a_server_that_refuses() -> None:
    busy = RemoteError("busy", "", retry_after=1.0)
    callee = Callee(*[busy] * 200)
    guard: Guard[int, int] = Guard(callee, throttle=Throttle(), random=Random(2))

    async def main() -> list[Any]:
        return await asyncio.gather(*(guard(x) for x in range(200)), return_exceptions=True)

    ends = run(main())
    assert len(callee.came) < 30
    assert sum(isinstance(end, RefusedError) for end in ends) == 200 - len(callee.came)


def test_a_key_that_fails_again_and_again_is_not_tried_any_more() -> None:
    callee = Callee(*[KeyError()] * 3)
    poison = Poison(2)
    guard: Guard[int, int] = Guard(callee, poison=poison, key=abs)

    async def main() -> None:
        for _ in range(2):
            with pytest.raises(KeyError):
                await guard(7)
        with pytest.raises(RefusedError, match="quarantine: the key 7 has failed too often"):
            await guard(-7)
        callee.script.clear()
        assert await guard(8) == 8

    run(main())


def test_a_key_whose_turn_never_comes_is_not_in_quarantine_for_it() -> None:
    poison, long = Poison(1), Callee(10.0)
    guard: Guard[str, Any] = Guard(long, bulkhead=Bulkhead(1, wait=9), poison=poison, key=str)

    async def main() -> None:
        first = asyncio.create_task(guard("first"))
        await asyncio.sleep(0)
        BESIDE.set(Context(deadline=now() + 1))
        with pytest.raises(DeadlineError):
            await guard("late")
        await first

    run(main())
    assert len(long.came) == 1
    assert poison.keys() == ()


def test_map_async_shows_functions_the_deadline_of_their_element() -> None:
    async def left(_: int) -> float | None:
        await asyncio.sleep(1)
        context = BESIDE.get()
        return None if context is None else context.deadline

    async def main() -> list[float | None]:
        flow = rxml.of(1, 2, 3).pipe(ops.deadline(5), ops.map_async(left, concurrency=1))
        plain = await rxml.of(1).pipe(ops.map_async(left, concurrency=1)).to_list()
        return plain + await flow.to_list()

    ends = run(main())
    assert ends[0] is None
    assert all(end is not None for end in ends[1:])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"breaker": 5}, "Guard wants breaker as a Breaker, got 5"),
        ({"retry": 5}, "Guard wants retry as a Retry, got 5"),
        ({"bulkhead": 1.5}, "Guard wants bulkhead as a Bulkhead, got 1.5"),
        ({"poison": Poison()}, "wants key="),
    ],
)
def test_a_policy_of_a_wrong_type_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        Guard(Callee(), **wrong)
