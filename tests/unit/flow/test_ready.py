"""Ready: what goes in comes out, in portions of any size."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rxml.flow.buffers.ready import Ready
from rxml.flow.chunk import Chunk
from rxml.flow.context import Context, Outcome


class ReadyMachine(RuleBasedStateMachine):
    """Compares with a flat list of elements and signals."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = Ready()
        self.model: list[Any] = []
        self.count = 0
        self.dropped: list[str] = []

    def _new(self) -> tuple[int, Context]:
        self.count += 1
        name = str(self.count)

        def settle(outcome: Outcome) -> None:
            assert outcome is Outcome.DROPPED
            self.dropped.append(name)

        return self.count, Context(fact_id=name, settle=settle)

    @rule(size=st.integers(0, 4), contexts=st.booleans(), kind=st.sampled_from([list, tuple]))
    def put(self, size: int, contexts: bool, kind: Any) -> None:
        fresh = [self._new() for _ in range(size)]
        chunk = Chunk(kind(x for x, _ in fresh), [c for _, c in fresh] if contexts else None)
        self.ready.put(chunk)
        self.model += [(x, c if contexts else None) for x, c in fresh]

    @rule(contexts=st.booleans())
    def append(self, contexts: bool) -> None:
        element, context = self._new()
        self.ready.append(element, context if contexts else None)
        self.model.append((element, context if contexts else None))

    @rule(name=st.sampled_from(["watermark", "barrier"]))
    def signal(self, name: str) -> None:
        self.count += 1
        signals: dict[str, Any] = {name: self.count}
        self.ready.put(Chunk((), **signals))
        last = self.model[-1] if self.model else None
        if isinstance(last, dict) and "barrier" not in last:
            last[name] = self.count
        else:
            self.model.append({name: self.count})

    @rule(n=st.integers(1, 5))
    def take(self, n: int) -> None:
        if not self.ready:
            assert self.model == []
            return
        chunk = self.ready.take(n)
        assert 0 <= len(chunk.elements) <= n
        assert len(chunk.elements) or chunk.signalled
        contexts: list[Any] = chunk.contexts or [None] * len(chunk.elements)
        taken: list[Any] = list(zip(chunk.elements, contexts, strict=True))
        taken += [chunk.signals()] if chunk.signalled else []
        assert taken == self.model[: len(taken)]
        del self.model[: len(taken)]

    @rule()
    def clear(self) -> None:
        kept: list[Any] = [each[1] for each in self.model if isinstance(each, tuple)]
        told = [str(context.fact_id) for context in kept if context]
        count = sum(isinstance(each, tuple) for each in self.model)
        self.dropped.clear()
        assert self.ready.clear() == count
        assert self.dropped == told
        self.model.clear()

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert self.ready.size == sum(isinstance(each, tuple) for each in self.model)
        assert bool(self.ready) == bool(self.model)


TestReady = ReadyMachine.TestCase


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=3), max_size=6), st.integers(1, 20))
def test_small_chunks_come_out_as_large_ones(chunks: list[list[int]], n: int) -> None:
    ready = Ready()
    for chunk in chunks:
        ready.put(Chunk(list(chunk)))
    total = sum(map(len, chunks))
    sizes: list[int] = []
    while ready:
        sizes.append(len(ready.take(n)))
    assert sizes == [n] * (total // n) + ([total % n] if total % n else [])


def test_chunks_are_not_changed_by_taking_them_together() -> None:
    first, second = [1], [2]
    ready = Ready()
    ready.put(Chunk(first))
    ready.put(Chunk(second))
    assert ready.take(5).elements == [1, 2]
    assert (first, second) == ([1], [2])


def test_a_batch_stays_a_batch() -> None:
    ready = Ready()
    ready.put(Chunk((1, 2, 3)))
    ready.put(Chunk([4]))
    assert [ready.take(2).elements, ready.take(9).elements, ready.take(9).elements] == [
        (1, 2),
        (3,),
        [4],
    ]


def test_watermarks_that_nobody_takes_do_not_pile_up() -> None:
    ready = Ready()
    ready.append(1, None)
    for mark in range(1000):
        ready.put(Chunk((), watermark=mark))
    chunk = ready.take(9)
    assert (list(chunk.elements), chunk.watermark) == ([1], 999)
    assert not ready
