"""What `pipe` takes for an operator, and what for none."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from reactivex.operators._map import map_

import rxml
from rxml import operators as ops
from rxml.errors import PipelineError
from rxml.testing import virtual_time
from tests.lift.untyped import R, rx

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable


def listed(flow: Flowable[Any]) -> list[Any]:
    return virtual_time.run(flow.to_list())


def names(flow: Flowable[Any]) -> list[str]:
    return [node.spec.name for node in flow.walk()]


def piped(*things: Any) -> Any:
    return rxml.range(3).pipe(*things)


def increment(x: int) -> int:
    return x + 1


def test_operators_of_both_stand_side_by_side() -> None:
    flow = rxml.range(5).pipe(ops.map(increment), R.map(increment), ops.map(increment), R.count())
    assert names(flow)[2] == "reactivex(map)"
    assert listed(flow) == [5]


def test_neighbours_of_reactivex_are_one_stage() -> None:
    flow = rxml.range(5).pipe(R.map(increment), R.filter(bool)).pipe(R.map(increment))
    assert names(flow) == ["range(5)", "reactivex(map, filter, map)"]
    assert listed(flow) == [2, 3, 4, 5, 6]


def test_a_flow_that_was_extended_is_still_itself() -> None:
    first = rxml.range(3).pipe(R.map(increment))
    second = first.pipe(R.map(increment))
    assert (listed(first), listed(second), listed(first)) == ([1, 2, 3], [2, 3, 4], [1, 2, 3])


def test_a_thousand_operators_of_reactivex_use_constant_stack() -> None:
    flow = rxml.range(3).pipe(*[R.map(increment)] * 1000)
    assert listed(flow) == [1000, 1001, 1002]


def test_ref_count_stays_with_its_publish_at_the_end_of_a_full_row() -> None:
    row: list[Any] = [R.map(increment)] * 63
    assert listed(rxml.range(3).pipe(*row, R.publish(), R.ref_count())) == [63, 64, 65]


def via_methods(source: Any) -> Any:
    return source.map(increment).filter(bool)


def of_both(source: Any) -> Any:
    return source.pipe(ops.map(increment), R.map(increment))


def with_another(source: Any) -> Any:
    return rx.concat(source, rx.of(9))


@pytest.mark.parametrize(
    ("operator", "result"),
    [
        (rx.compose(R.map(increment), R.map(increment)), [2, 3, 4]),
        (partial(lambda n, source: source.pipe(R.map(lambda x: x + n)), 5), [5, 6, 7]),
        (map_(increment), [1, 2, 3]),
        (via_methods, [1, 2, 3]),
        (of_both, [2, 3, 4]),
        (with_another, [0, 1, 2, 9]),
        (lambda _: rx.of(7), [7]),
        (lambda _: rxml.of(7), [7]),
        (rxml.compose(R.map(increment), ops.map(increment)), [2, 3, 4]),
    ],
)
def test_what_a_user_composes_is_recognised(operator: Any, result: list[int]) -> None:
    assert listed(rxml.range(3).pipe(operator)) == result
    assert listed(rxml.range(3).pipe(ops.map(increment), operator, ops.map(str)))


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (3, "got 3"),
        (None, "got None"),
        (lambda _: 5, "made an int"),
        (lambda _: [], "made a list"),
        (lambda _: (1, 2), "made a tuple"),
        (R.map, "map of reactivex made a function"),
        (str, "made a str"),
    ],
)
def test_what_is_no_operator_is_named(thing: Any, words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        piped(thing)


def test_a_coroutine_function_is_no_operator() -> None:
    async def operator(source: Any) -> Any:
        return source

    with pytest.raises(PipelineError, match="operator made a coroutine"):
        piped(operator)


def test_an_error_of_a_users_operator_is_what_it_was() -> None:
    def operator(_: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        piped(operator)


def test_partition_gives_two_observables_that_share_one_run() -> None:
    async def main() -> None:
        runs: list[int] = []

        def source() -> Any:
            runs.append(1)
            return iter(range(6))

        parts: Any = rxml.from_iterable(source).pipe(R.partition(lambda x: x % 2))
        odd, even = (asyncio.get_running_loop().create_future() for _ in range(2))
        for part, future in zip(parts, (odd, even), strict=True):
            part.pipe(R.to_list()).subscribe(future.set_result)
        assert (await odd, await even) == ([1, 3, 5], [0, 2, 4])
        assert runs == [1]

    virtual_time.run(main())


def test_partition_indexed_gives_two_observables() -> None:
    async def main() -> list[str]:
        parts: Any = rxml.of(*"abcd").pipe(R.partition_indexed(lambda _, i: i % 2))
        listed: list[str] = await parts[1].pipe(R.to_list())
        return listed

    assert virtual_time.run(main()) == ["a", "c"]


def test_to_future_gives_a_future_of_the_last_element() -> None:
    async def main() -> int:
        future: Any = rxml.range(3).pipe(R.map(increment), R.to_future())
        assert asyncio.isfuture(future)
        last: int = await future
        return last

    assert virtual_time.run(main()) == 3


def test_nothing_stands_behind_what_is_no_flow() -> None:
    with pytest.raises(PipelineError, match="map stands behind an operator that gives a list"):
        piped(R.partition(bool), R.map(increment))


def test_building_runs_nothing() -> None:
    def source() -> Any:
        raise AssertionError("ran")

    row: list[Any] = [R.map(increment), via_methods, R.replay(), with_another]
    assert len(names(rxml.from_iterable(source).pipe(*row))) == 2


@pytest.mark.parametrize("name", ["flat_map", "flat_map_indexed"])
def test_a_flow_where_reactivex_wants_an_observable_is_refused_by_naming_to_rx(name: str) -> None:
    inner: Any = getattr(R, name)(lambda *_: rxml.of(1))
    with pytest.raises(TypeError, match=r"Flowable.*wants an Observable, give it flow\.to_rx\(\)"):
        virtual_time.run(rxml.of(1).pipe(inner).to_list())
    inner = getattr(R, name)(lambda *_: rxml.of(1).to_rx())
    assert virtual_time.run(rxml.of(1).pipe(inner).to_list()) == [1]
