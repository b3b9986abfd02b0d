"""The algebra of the operators: laws of several at once, which no operator can keep alone (L14, L23 to L30, L47)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml.testing import chunkings, run, scripted
from rxml.testing.comparing import same, same_multiset

if TYPE_CHECKING:
    from rxml.testing import Scripted

numbers = st.lists(st.integers(-5, 5), max_size=12)
some = st.lists(st.integers(-5, 5), min_size=1, max_size=12)


@st.composite
def sources(draw: st.DrawFn) -> tuple[Scripted, list[int]]:
    """A flow of drawn elements in drawn chunks, and these elements."""
    elements = draw(numbers)
    return scripted(*draw(chunkings(elements, heartbeats=False))), elements


def listed(flow: rxml.Flowable[Any]) -> list[Any]:
    async def main() -> list[Any]:
        return [element async for element in flow]

    return run(main())


def twice(x: int) -> rxml.Flowable[int]:
    return rxml.of(x, x * 2)


def up_to(x: int) -> rxml.Flowable[int]:
    return rxml.range(0, abs(x) % 4)


@given(sources(), st.integers(1, 5))
def test_l14_what_is_put_into_lists_and_taken_out_again_is_the_same(
    source: tuple[Scripted, list[int]], n: int
) -> None:
    flow, elements = source
    lists = listed(flow.pipe(ops.buffer(n)))
    assert [len(each) for each in lists[:-1]] == [n] * (len(lists) - 1)
    assert listed(flow.pipe(ops.buffer(n), ops.unbatch())) == elements


@given(st.tuples(sources(), sources(), sources()))
def test_l23_to_concatenate_is_a_monoid(drawn: Any) -> None:
    (a, xs), (b, ys), (c, zs) = drawn
    assert listed(rxml.concat(rxml.concat(a, b), c)) == [*xs, *ys, *zs]
    assert listed(rxml.concat(a, rxml.concat(b, c))) == [*xs, *ys, *zs]
    assert listed(rxml.concat(rxml.empty(), a)) == listed(rxml.concat(a, rxml.empty())) == xs


@given(sources(), st.integers(-5, 5))
def test_l24_concat_map_and_flat_map_are_monads(source: tuple[Scripted, list[int]], x: int) -> None:
    flow, elements = source
    for flattened, alike in ((ops.concat_map, same), (ops.flat_map, same_multiset)):
        into: Any = flattened
        assert alike(listed(rxml.of(x).pipe(into(twice))), [x, x * 2])
        assert alike(listed(flow.pipe(into(rxml.of))), elements)
        in_turn = listed(flow.pipe(into(twice), into(up_to)))

        def both(y: int, into: Any = into) -> rxml.Flowable[int]:
            made: rxml.Flowable[int] = twice(y).pipe(into(up_to))
            return made

        inside = listed(flow.pipe(into(both)))
        assert alike(in_turn, inside)


@given(sources(), sources())
def test_l25_to_merge_is_commutative_and_keeps_each_order(
    one: tuple[Scripted, list[int]], other: tuple[Scripted, list[int]]
) -> None:
    (a, xs), (b, ys) = one, other
    assert same_multiset(listed(rxml.merge(a, b)), listed(rxml.merge(b, a)))
    marked = listed(rxml.merge(a.pipe(ops.map(lambda x: ("a", x))), b))
    assert [each[1] for each in marked if isinstance(each, tuple)] == xs
    assert [each for each in marked if not isinstance(each, tuple)] == ys
    assert listed(rxml.merge(a, rxml.empty())) == xs


@given(sources(), sources())
def test_l26_a_zip_is_as_long_as_the_shorter_and_can_be_taken_apart(
    one: tuple[Scripted, list[int]], other: tuple[Scripted, list[int]]
) -> None:
    (a, xs), (b, ys) = one, other
    pairs = listed(rxml.zip(a, b))
    length = min(len(xs), len(ys))
    assert [x for x, _ in pairs] == xs[:length]
    assert [y for _, y in pairs] == ys[:length]


@given(sources(), st.integers(1, 4))
def test_l27_map_async_is_map_and_works_on_no_more_than_it_may(
    source: tuple[Scripted, list[int]], concurrency: int
) -> None:
    flow, elements = source
    at_work: set[object] = set()
    most: list[int] = [0]

    async def double(x: int) -> int:
        mark = object()
        at_work.add(mark)
        most[0] = max(most[0], len(at_work))
        await asyncio.sleep(abs(x))
        at_work.remove(mark)
        return 2 * x

    doubled = [2 * x for x in elements]
    assert listed(flow.pipe(ops.map_async(double, concurrency=concurrency))) == doubled
    free = ops.map_async(double, concurrency=concurrency, ordered=False)
    assert same_multiset(listed(flow.pipe(free)), doubled)
    assert most[0] <= concurrency


@given(sources())
def test_l28_the_groups_together_are_the_flow_and_each_is_the_filter_of_its_key(
    source: tuple[Scripted, list[int]],
) -> None:
    flow, elements = source

    def keyed(group: Any) -> rxml.Flowable[Any]:
        key = group.key
        pairs: rxml.Flowable[Any] = group.pipe(ops.map(lambda x: (key, x)))
        return pairs

    def parity(x: int) -> int:
        return x % 2

    pairs = listed(flow.pipe(ops.group_by(parity), ops.flat_map(keyed)))
    assert same_multiset([x for _, x in pairs], elements)
    for key in (0, 1):
        assert [x for k, x in pairs if k == key] == [x for x in elements if parity(x) == key]


@given(sources())
def test_l29_each_reader_of_what_is_shared_gets_all_of_it(
    source: tuple[Scripted, list[int]],
) -> None:
    flow, elements = source
    shared: rxml.Flowable[int] = flow.pipe(ops.share())

    async def main() -> list[list[int]]:
        return list(await asyncio.gather(shared.to_list(), shared.to_list()))

    assert run(main()) == [elements, elements]


@given(some, some)
def test_l30_the_aggregate_of_two_parts_is_that_of_the_whole(xs: list[int], ys: list[int]) -> None:
    whole = rxml.of(*xs, *ys)
    for aggregate, merged in (
        (ops.sum, sum),
        (ops.count, sum),
        (ops.min, min),
        (ops.max, max),
    ):
        made: Any = aggregate
        parts = [listed(rxml.of(*part).pipe(made()))[0] for part in (xs, ys)]
        assert listed(whole.pipe(made())) == [merged(parts)]


@given(sources(), st.integers(1, 4))
def test_l47_a_buffer_that_a_fast_reader_empties_changes_nothing(
    source: tuple[Scripted, list[int]], capacity: int
) -> None:
    flow, elements = source
    assert listed(flow.pipe(ops.prefetch(capacity))) == elements
