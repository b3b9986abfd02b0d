"""What keyed operators do, in plain Python: a dict of states, walked element by element."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import hypothesis.strategies as st
import numpy as np

import rxml
from rxml import operators as ops
from rxml.batch.batch import Batch
from rxml.batch.row import Row
from rxml.eventtime import bounded
from rxml.flow.kernel import Chunkwise
from rxml.flow.node import KernelSpec
from rxml.testing.virtual_time import run
from rxml.wire import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.eventtime.keying import Evicted
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator

Fact: TypeAlias = dict[str, Any]

DELAY = 6
"""Nanoseconds by which elements may be out of order before they are late."""

FACTS = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.integers(0, 4),
            "time": st.integers(0, 60),
            "id": st.integers(0, 3),
            "x": st.integers(-9, 9),
        }
    ),
    max_size=40,
)
BOUNDS = st.tuples(st.none() | st.integers(1, 12), st.none() | st.integers(1, 3))


@dataclass
class Life:
    """A key's state, with what decides how long it lives."""

    newest: int
    turn: int
    state: dict[str, Any] = field(default_factory=dict[str, Any])


class Model:
    """Walks elements in their order, with the watermark in front of each.

    Attributes:
        evicted: keys given up, with the reason.
    """

    def __init__(
        self, ttl: int | None = None, most: int | None = None, *, keyed: bool = True
    ) -> None:
        self.ttl, self.most, self.turn, self.keyed = ttl, most, 0, keyed
        self.lives: dict[Any, Life] = {}
        self.evicted: list[tuple[Any, str]] = []
        self.watermark = -(10**9)

    def results(self, facts: list[Fact], step: Callable[[dict[str, Any], Fact], Any]) -> list[Any]:
        """What `step` makes of the state of an element's key and the element; None is no result."""
        made: list[Any] = []
        for fact in facts:
            key = fact["key"] if self.keyed else None
            made.append(step(self._state(key, fact["time"]), fact))
            self.advance(fact["time"] - DELAY)
        return [each for each in made if each is not None]

    def advance(self, watermark: int) -> None:
        """Time goes on."""
        if watermark > self.watermark:
            self.watermark = watermark
            for key in [key for key in self.lives if self._late(key, watermark)]:
                self._evict(key, "ttl")

    def _state(self, key: Any, time: int) -> dict[str, Any]:
        self.turn += 1
        if key in self.lives and self._late(key, time):
            self._evict(key, "ttl")
        if key not in self.lives and len(self.lives) == self.most:
            oldest = min(self.lives, key=self._age)
            self._evict(oldest, "ttl" if self._late(oldest, time) else "max_keys")
        life = self.lives.setdefault(key, Life(time, self.turn))
        life.newest, life.turn = max(life.newest, time), self.turn
        return life.state

    def _age(self, key: Any) -> tuple[int, int]:
        life = self.lives[key]
        return (0 if self.ttl is None else life.newest, life.turn)

    def _late(self, key: Any, time: int) -> bool:
        return self.ttl is not None and time > self.lives[key].newest + self.ttl

    def _evict(self, key: Any, reason: str) -> None:
        del self.lives[key]
        self.evicted.append((key, reason))


def cut(items: list[Any], sizes: list[int]) -> list[list[Any]]:
    """The elements in chunks of these sizes, over and over."""
    chunks: list[list[Any]] = []
    at = 0
    while at < len(items):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(items[at : at + size])
        at += size
    return chunks


def columns(facts: list[Fact]) -> Batch:
    """The elements as a batch."""
    return Batch({name: np.array([fact[name] for fact in facts]) for name in facts[0]})


def keyed(
    facts: list[Fact],
    sizes: list[int],
    operator: Any,
    bounds: tuple[int | None, int | None] = (None, None),
    told: list[Evicted] | None = None,
    *,
    batched: bool = False,
    key: bool = True,
) -> Flowable[Any]:
    """Elements in such chunks, with times and keys, behind an operator."""
    chunks: list[Any] = cut(facts, sizes)
    source = rxml.from_batches([columns(chunk) for chunk in chunks] if batched else chunks)
    timed = source.pipe(ops.with_event_time("time", bounded(DELAY / 1e9), unit="ns"))
    ttl, most = bounds
    seconds = None if ttl is None else ttl / 1e9
    note = None if told is None else told.append
    by: Operator[Any, Any] = ops.key_by("key", ttl=seconds, max_keys=most, on_evicted=note)
    return timed.pipe(by, operator) if key else timed.pipe(operator)


def listed(flow: Flowable[Any]) -> list[Any]:
    """All that comes out, in virtual time; a row of a batch as a dict."""
    return [dict(each) if isinstance(each, Row) else each for each in run(flow.to_list())]


def gone_on(flow: Flowable[Any], facts: list[Fact], sizes: list[int], cuts: set[int]) -> list[Any]:
    """What the last kernel of a flow makes of chunks, replaced before some of them by one restored from its snapshot."""
    assert isinstance(flow.spec, KernelSpec)
    kernel: Any = flow.spec.kernel()
    out: list[Any] = []
    reached = -(10**9)
    for number, chunk in enumerate(cut(facts, sizes)):
        if number in cuts:
            state = loads(dumps(kernel.snapshot()))
            kernel = flow.spec.kernel()
            kernel.restore(state)
        if isinstance(flow.spec.kernel(), Chunkwise):
            out += kernel.push_all(chunk)
        else:
            kernel.push(iter(chunk), out)
        reached = max(reached, *(fact["time"] - DELAY for fact in chunk))
        kernel.advance(reached)
    return [dict(each) if isinstance(each, Row) else each for each in out]
