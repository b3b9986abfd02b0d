"""lookup_join: each element with what an asynchronous function gives for its key."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.batch.batch import Batch
from rxml.errors import PipelineError, SchemaError
from rxml.eventtime.event_time import event_time_of
from rxml.flow.run import Run
from rxml.testing import Sleep, run, scripted
from tests.unit.flow.ledger import ANSWERED, Ledger, read

if TYPE_CHECKING:
    from rxml.eventtime.joins.results import Looked


class Service:
    """Answers in upper case after a second; counts its calls."""

    def __init__(self, *failures: str, seconds: float = 1.0) -> None:
        self.calls: list[str] = []
        self.busy = 0
        self.most = 0
        self._failures = list(failures)
        self._seconds = seconds

    async def __call__(self, key: str) -> str:
        self.calls.append(key)
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            await asyncio.sleep(self._seconds)
        finally:
            self.busy -= 1
        if key in self._failures:
            self._failures.remove(key)
            raise LookupError(key)
        return key.upper()


def name(text: str) -> str:
    return text[0]


def looked(service: Any, *steps: Any, **options: Any) -> list[Looked[str, Any]]:
    options = {"key": name, **options}
    return run(scripted(*steps).pipe(ops.lookup_join(service, **options)).to_list())


def test_concurrent_misses_of_one_key_are_one_call_and_the_order_is_kept() -> None:
    service = Service()
    results = looked(service, "a1", "b2", "a3", "a4")
    assert [(each.element, each.value) for each in results] == [
        ("a1", "A"),
        ("b2", "B"),
        ("a3", "A"),
        ("a4", "A"),
    ]
    assert service.calls == ["a", "b"]
    assert all(each.found and each.reason is None for each in results)


def test_what_was_not_asked_for_for_the_longest_time_gives_way() -> None:
    service = Service()
    looked(service, *"abacab", cache=2, concurrency=1)
    assert service.calls == ["a", "b", "c", "b"]


def test_a_value_is_good_for_its_ttl_by_the_runs_clock() -> None:
    service = Service()
    looked(service, "a", Sleep(2), "a", Sleep(2), "a", Sleep(8), "a", ttl=5)
    assert service.calls == ["a", "a"]


def test_without_a_cache_each_is_asked_for() -> None:
    service = Service()
    looked(service, *"aa", cache=0, concurrency=1)
    assert service.calls == ["a", "a"]


def test_a_call_that_takes_too_long_gives_the_default_flagged() -> None:
    service = Service(seconds=10)
    (result,) = looked(service, "a", timeout=3, default="?")
    assert result[:4] == ("a", "?", False, "timeout")
    assert isinstance(result.error, TimeoutError)
    assert service.busy == 0


def test_an_error_gives_the_default_flagged_and_is_not_remembered() -> None:
    service = Service("a")
    results = looked(service, "a1", "a2", Sleep(5), "a3", default="?")
    assert [(each.value, each.reason) for each in results] == [
        ("?", "error"),
        ("?", "error"),
        ("A", None),
    ]
    assert service.calls == ["a", "a"]
    assert isinstance(results[0].error, LookupError)


def test_a_timeout_of_the_function_itself_is_an_error_of_it() -> None:
    async def fail(key: str) -> str:
        raise TimeoutError(key)

    assert looked(fail, "a", timeout=3)[0].reason == "error"


def test_a_function_that_is_cancelled_by_itself_gives_the_default() -> None:
    async def fail(key: str) -> str:
        raise asyncio.CancelledError(key)

    for options in ({"timeout": 3}, {}):
        first, second = looked(fail, "a", "b", default="?", **options)
        assert (first[:4], second.reason) == (("a", "?", False, "error"), "error")
        assert isinstance(first.error, RuntimeError)
        assert isinstance(first.error.__cause__, asyncio.CancelledError)


def test_what_comes_when_the_time_is_up_is_not_found() -> None:
    calls: list[str] = []

    async def stubborn(key: str) -> str:
        calls.append(key)
        try:
            await asyncio.sleep(400)
        except asyncio.CancelledError:
            await asyncio.sleep(1)
        return key

    results = looked(stubborn, "a", Sleep(9), "a", timeout=3, default="?")
    assert [each[:4] for each in results] == [("a", "?", False, "timeout")] * 2
    assert all(isinstance(each.error, TimeoutError) for each in results)
    assert calls == ["a", "a"]


def test_a_plain_function_fails_and_is_told_what_would_be_right() -> None:
    def plain(key: str) -> Any:
        return key.upper()

    result = read(rxml.of("a").pipe(ops.lookup_join(plain, key=name)))
    assert result.results == []
    assert isinstance(result.error, TypeError)
    assert "gives an awaitable, got one that gives str: say async def" in str(result.error)


def test_a_plain_function_may_give_an_awaitable_and_may_fail_before_it_does() -> None:
    service = Service()

    def ask(key: str) -> Any:
        if key == "b":
            raise LookupError(key)
        return service(key)

    assert [(each.value, each.reason) for each in looked(ask, "a", "b")] == [
        ("A", None),
        (None, "error"),
    ]


@pytest.mark.parametrize(("key", "said"), [(float("nan"), "has no key"), ([1], "be hashable")])
def test_a_key_that_cannot_be_looked_up_is_for_the_supervisor(key: Any, said: str) -> None:
    service = Service()
    result = read(rxml.of("a").pipe(ops.lookup_join(service, key=lambda _: key)))
    assert isinstance(result.error, SchemaError)
    assert said in str(result.error)
    assert service.calls == []


def test_values_that_are_kept_count_in_what_is_declared_but_are_not_taken_in_ahead() -> None:
    flow = rxml.of(*"abcdefgh").pipe(ops.lookup_join(Service(), key=name, cache=100, concurrency=2))
    assert flow.spec.capacity == 102

    async def main() -> int:
        async with Run[Any](flow) as live:
            await live.subscription.request(1)
            await asyncio.sleep(50)
            return live.statistics().stages[-1].buffered

    assert run(main()) == 2


def test_no_more_are_looked_up_at_once_than_was_said() -> None:
    service = Service()
    looked(service, *"abcdefgh", concurrency=3)
    assert service.most == 3


def test_contexts_stay_with_their_elements() -> None:
    ledger = Ledger()
    result = read(ledger.source("a1", "b2").pipe(ops.lookup_join(Service("a"), key=name)))
    assert [each.found for each in result.results] == [False, True]
    assert ledger[ANSWERED] == "a1b2"


def test_cancelling_ends_the_calls_that_run() -> None:
    service = Service(seconds=100)

    async def main() -> None:
        async with rxml.of("a", "b").pipe(ops.lookup_join(service, key=name)).open() as live:
            asking = asyncio.ensure_future(live.request(1))
            await asyncio.sleep(1)
            assert service.busy == 2
            asking.cancel()
            await asyncio.wait([asking])

    run(main())
    assert service.busy == 0


def test_rows_of_a_batch_are_elements() -> None:
    batch = Batch({"k": ["a", "b"], "x": [1, 2]})
    flow: Any = rxml.from_batches([batch]).pipe(ops.lookup_join(Service(), key="k"))
    assert [(each.element["x"], each.value) for each in run(flow.to_list())] == [(1, "A"), (2, "B")]


def test_the_key_may_have_been_said_before_and_the_time_is_that_of_the_element() -> None:
    def second(text: str) -> int:
        return int(text[1:])

    timed = rxml.of("a1", "b2").pipe(ops.with_event_time(second, unit="s"), ops.key_by(name))
    flow: Any = timed.pipe(ops.lookup_join(Service()))
    results = run(flow.to_list())
    assert [each.value for each in results] == ["A", "B"]
    assert event_time_of("test", flow).of(results).tolist() == [10**9, 2 * 10**9]


def test_an_element_without_a_key_fails_as_its_supervisor_says() -> None:
    result = read(rxml.of("a", "").pipe(ops.lookup_join(Service(), key=name)))
    assert [each.value for each in result.results] == ["A"]
    assert isinstance(result.error, IndexError)


def test_what_is_wrong_is_said_when_the_pipeline_is_built() -> None:
    service = Service()
    with pytest.raises(PipelineError, match="knows no key"):
        _ = rxml.of("a").pipe(ops.lookup_join(service))
    with pytest.raises(ValueError, match="ttl > 0, got 0"):
        ops.lookup_join(service, key=name, ttl=0)
    with pytest.raises(ValueError, match=r"lookup_join\(timeout\).*>= 0, got -1"):
        ops.lookup_join(service, key=name, timeout=-1)
    with pytest.raises(PipelineError, match="gives an awaitable for a key"):
        ops.lookup_join(None, key=name)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
