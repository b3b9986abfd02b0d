"""Trees of stages, drawn at random, that run at paces of their own and die: what comes out is what would have."""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

import rxml
from rxml import operators as ops
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.testing.virtual_time import run
from tests.unit.checkpointing.memory_store import Died, MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from hypothesis.strategies import SearchStrategy

    from rxml import Flowable

Tree: TypeAlias = "Callable[[], Flowable[Any]]"


async def paced(first: int, size: int, step: int, seconds: float) -> AsyncIterator[int]:
    for number in range(size):
        if number % step == 0:
            await asyncio.sleep(seconds)
        yield first + number


def leaf(first: int, size: int, step: int, seconds: float) -> Tree:
    return lambda: rxml.from_async_iterable(partial(paced, first, size, step, seconds))


def listed(first: int, size: int) -> Tree:
    return lambda: rxml.from_iterable(range(first, first + size))


async def slowly(x: Any) -> Any:
    await asyncio.sleep(hash(str(x)[-1:]) % 3 * 0.05)
    return x


def text(a: Any, b: Any) -> str:
    return f"{a}{b}"[-6:]


UNARY: dict[str, Callable[[], Any]] = {
    "prefetch": lambda: ops.prefetch(3),
    "take": lambda: ops.take(4),
    "skip": lambda: ops.skip(2),
    "take_last": lambda: ops.take_last(2),
    "scan": lambda: ops.scan(text),
    "reduce": lambda: ops.reduce(text, ""),
    "buffer": lambda: ops.buffer(2),
    "map_async": lambda: ops.map_async(slowly, concurrency=2),
    "flat_map": lambda: ops.concat_map(lambda x: [x, str(x)]),
    "start_with": lambda: ops.start_with("first"),
    "or": lambda: ops.default_if_empty("nothing"),
    "distinct": lambda: ops.distinct_until_changed(str),
    "materialize": lambda: rxml.compose(ops.materialize(), ops.map(str)),
}


def behind(tree: Tree, name: str) -> Tree:
    return lambda: tree().pipe(UNARY[name]())


def beside(combine: Callable[..., Flowable[Any]], trees: list[Tree]) -> Tree:
    return lambda: combine(*[tree() for tree in trees])


SIZES = st.integers(0, 9)
LEAVES: SearchStrategy[Tree] = st.one_of(
    st.builds(leaf, SIZES, SIZES, st.integers(1, 4), st.sampled_from([0, 0.01, 0.1, 1])),
    st.builds(listed, SIZES, SIZES),
)
TREES = st.recursive(
    LEAVES,
    lambda trees: st.one_of(
        st.builds(behind, trees, st.sampled_from(sorted(UNARY))),
        st.builds(
            beside,
            st.sampled_from([rxml.zip, rxml.concat]),
            st.lists(trees, min_size=2, max_size=3),
        ),
    ),
    max_leaves=6,
)


WHEN: SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"every": None, "elements": n} for n in range(1, 6)]
    + [{"every": seconds} for seconds in (0.05, 0.3, 1.1)]
)


async def lived(tree: Tree, checkpoint: Checkpoint) -> list[str]:
    out: list[str] = []
    while True:
        try:
            await (
                tree().pipe(ops.do_action(lambda x: out.append(repr(x)))).run(checkpoint=checkpoint)
            )
        except Died:
            continue
        return out


EMPTY = [leaf(0, 0, 1, 0), leaf(0, 0, 1, 0)]


def assert_alike(out: list[str], whole: list[str], *, merged: bool) -> None:
    """Tuples come back from a store as lists; what is merged has no order."""
    made, wanted = (
        [each.replace("(", "[").replace(")", "]") for each in one] for one in (out, whole)
    )
    if merged:
        made, wanted = sorted(made), sorted(wanted)
    assert made == wanted


@example(  # the second of two empty inputs begins while a barrier is on its way that the first one gave
    trees=[leaf(0, 2, 1, 0), behind(beside(rxml.concat, EMPTY), "map_async")],
    when={"every": None, "elements": 1},
    deaths=set(),
    seed=0,
)
@given(
    trees=st.lists(TREES, min_size=1, max_size=3),
    when=WHEN,
    deaths=st.sets(st.integers(1, 8), max_size=4),
    seed=st.integers(0, 9999),
)
def test_a_tree_that_dies_gives_what_one_gives_that_does_not(
    trees: list[Tree], when: dict[str, Any], deaths: set[int], seed: int
) -> None:
    """In order where there is one: what is merged at the end comes as it comes."""
    tree = trees[0] if len(trees) == 1 else beside(rxml.merge, trees)
    whole = run(tree().pipe(ops.map(repr)).to_list())
    died = run(lived(tree, Checkpoint(MemoryStore(*deaths), **when)), seed=seed)
    assert_alike(died, whole, merged=len(trees) > 1)


@given(
    trees=st.lists(TREES, min_size=1, max_size=3),
    when=WHEN,
    drained=st.lists(st.sampled_from([0, 0.01, 0.05, 0.31, 1.1, 2.5]), max_size=4),
    seed=st.integers(0, 9999),
)
def test_a_tree_that_is_drained_goes_on_where_it_was(
    trees: list[Tree], when: dict[str, Any], drained: list[float], seed: int
) -> None:
    """Also while a barrier is on its way that some sources have given already, and others have not."""
    tree = trees[0] if len(trees) == 1 else beside(rxml.merge, trees)
    checkpoint, out = Checkpoint(MemoryStore(), **when), list[str]()
    flow = tree().pipe(ops.do_action(lambda x: out.append(repr(x))))

    async def main() -> None:
        for seconds in drained:
            async with flow.start(checkpoint=checkpoint) as running:
                await asyncio.sleep(seconds)
                assert await running.drain(1000)
        await flow.run(checkpoint=checkpoint)

    run(main(), seed=seed)
    whole = run(tree().pipe(ops.map(repr)).to_list())
    assert_alike(out, whole, merged=len(trees) > 1)


@pytest.mark.parametrize("deaths", [{1}, {2}, {1, 2}])
def test_a_pipeline_that_is_very_deep(deaths: set[int]) -> None:
    """Tasks stand in between, so that awaiting does not recurse without bound."""

    def deep() -> Flowable[Any]:
        flow: Flowable[Any] = rxml.range(30)
        for _ in range(60):
            flow = flow.pipe(ops.prefetch(2), ops.scan(text))
        return flow

    whole = run(deep().pipe(ops.map(repr)).to_list())
    store = MemoryStore(*deaths)
    assert run(lived(deep, Checkpoint(store, every=None, elements=4))) == whole
    assert store.deaths == set()
