"""Backlog: equals a plain deque under every script, and loses nothing silently."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.errors import BufferOverflowError
from rxml.flow.buffers.backlog import Backlog
from rxml.flow.buffers.overflow import POLICIES, Conflate, Overflow, checked
from rxml.flow.buffers.weigh import weigh
from rxml.flow.context import Context, Outcome


def concatenated(held: Any, new: Any) -> Any:
    return held + new


POLICY: Any = st.sampled_from([*POLICIES, Conflate(concatenated)])
SCRIPT: Any = st.lists(
    st.tuples(st.just("put"), st.text("x", max_size=9))
    | st.tuples(st.just("take"), st.integers(1, 4)),
    max_size=30,
)


class Model:
    """What a backlog should do, written for clarity."""

    def __init__(self, policy: Overflow, capacity: int, most: int | None) -> None:
        self.policy, self.capacity, self.most = policy, capacity, most
        self.held: deque[str] = deque()
        self.dropped: list[str] = []

    def fits(self, item: str) -> bool:
        if len(self.held) == self.capacity:
            return False
        return self.most is None or not self.held or weigh([*self.held, item]) <= self.most

    def put(self, item: str) -> None:
        if isinstance(self.policy, Conflate):
            self.held = deque([self.held[0] + item if self.held else item])
            return
        if not self.fits(item):
            if self.policy == "error":
                raise BufferOverflowError
            if self.policy == "drop_newest":
                self.dropped.append(item)
                return
            while self.held and not self.fits(item):
                self.dropped.append(self.held.popleft())
        self.held.append(item)


@given(POLICY, st.integers(1, 4), st.none() | st.integers(50, 300), SCRIPT)
def test_a_backlog_is_a_deque(
    policy: Overflow, capacity: int, most: int | None, script: list[tuple[str, Any]]
) -> None:
    capacity = checked(
        "test", policy, 1 if policy == "latest" or isinstance(policy, Conflate) else capacity
    )
    backlog: Backlog[str] = Backlog("test", policy, capacity, max_bytes=most)
    model = Model(policy, capacity, most)
    accepted = emitted = 0
    for what, value in script:
        if what == "put":
            try:
                model.put(value)
            except BufferOverflowError:
                with pytest.raises(BufferOverflowError, match="test: "):
                    backlog.offer(value, None, 0.0)
            else:
                backlog.offer(value, None, 0.0)
                accepted += 1
        else:
            chunk = backlog.take(value)
            taken = [model.held.popleft() for _ in range(min(value, len(model.held)))]
            assert (list(chunk.elements) if chunk else []) == taken
            emitted += len(taken)
        assert len(backlog) == len(model.held) <= capacity
        if most is not None:
            assert backlog.bytes <= most or len(backlog) == 1
        if not isinstance(policy, Conflate):
            assert backlog.dropped == len(model.dropped)
        assert emitted + backlog.dropped + len(backlog) == accepted


@given(POLICY, st.lists(st.booleans(), max_size=20))
def test_each_context_is_settled_as_dropped_or_comes_out(
    policy: Overflow, takes: list[bool]
) -> None:
    backlog: Backlog[int] = Backlog("test", policy, 1)
    ends: list[tuple[int, Outcome]] = []
    came: list[int] = []
    given = 0

    def note(number: int, outcome: Outcome) -> None:
        ends.append((number, outcome))

    for take in takes:
        if take:
            chunk = backlog.take(1)
            came += [int(each.fact_id or 0) for each in (chunk.contexts or [] if chunk else [])]
            continue
        number = given
        context = Context(fact_id=str(number), settle=partial(note, number))
        try:
            backlog.offer(number, context, 0.0)
        except BufferOverflowError:
            continue
        given += 1
    backlog.clear()
    assert {outcome for _, outcome in ends} <= {Outcome.DROPPED}
    assert sorted([*came, *(number for number, _ in ends)]) == list(range(given))


@given(
    st.sampled_from(["drop_oldest", "drop_newest", "latest"]),
    st.lists(st.sampled_from(["put", "take", "mark", "barrier"]), max_size=40),
)
def test_signals_keep_their_place_and_are_bounded(policy: Any, script: list[str]) -> None:  # noqa: C901
    """A watermark never comes out before an element that came in before it, and the newest always comes out."""
    backlog: Backlog[int] = Backlog("test", policy, 3 if policy != "latest" else 1)
    out: list[tuple[str, int]] = []
    chunks = 0

    def take() -> bool:
        nonlocal chunks
        chunk = backlog.take(2)
        if chunk is None:
            return False
        chunks += 1
        out.extend(("element", each) for each in chunk.elements)
        if chunk.watermark is not None:
            out.append(("mark", chunk.watermark))
        if chunk.barrier is not None:
            out.append(("barrier", chunk.barrier))
        return True

    for number, step in enumerate(script):
        if step == "put":
            backlog.offer(number, None, 0.0)
        elif step == "take":
            take()
        else:
            backlog.signal({"watermark" if step == "mark" else "barrier": number})
    before = chunks
    while take():
        pass
    assert chunks - before <= 4 + 1
    numbers = [number for _, number in out]
    assert [n for n in numbers if script[n] == "put"] == [n for k, n in out if k == "element"]
    for kind in ("mark", "barrier"):
        marks = [number for what, number in out if what == kind]
        sent = [number for number, step in enumerate(script) if step == kind]
        assert marks == sorted(marks)
        assert marks[-1:] == sent[-1:]
        for mark in marks:
            behind = out[out.index((kind, mark)) :]
            assert all(number > mark for what, number in behind if what == "element")


def test_what_a_failing_function_was_given_changes_nothing() -> None:
    backlog: Backlog[Any] = Backlog("test", Conflate(lambda a, b: a // b), 1, max_bytes=1000)
    backlog.offer(6, None, 0.0)
    with pytest.raises(ZeroDivisionError):
        backlog.offer(0, None, 0.0)
    backlog.offer(2, None, 0.0)
    chunk = backlog.take(1)
    assert chunk is not None
    assert chunk.elements == [3]
    assert (len(backlog), backlog.bytes, backlog.dropped) == (0, 0, 1)


def test_the_age_is_that_of_the_oldest() -> None:
    backlog: Backlog[Any] = Backlog("test", "drop_oldest", 2)
    assert backlog.gauge(5.0) == (0, None)
    for moment in (1.0, 2.0, 3.0):
        backlog.offer(None, None, moment)
    assert backlog.gauge(5.0) == (2, 3.0)


@pytest.mark.parametrize(
    ("policy", "capacity", "message"),
    [
        ("drop", 1, "wants one of 'error'"),
        ("error", None, "capacity of at least 1"),
        ("error", 0, "capacity of at least 1"),
        ("latest", 2, "one element waits"),
        (Conflate(max), 3, "one element waits"),
    ],
)
def test_policies_are_checked(policy: Any, capacity: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked("on_overflow", policy, capacity)


def test_a_capacity_is_an_int() -> None:
    wrong: Any = 1.5
    with pytest.raises(TypeError, match="as an int"):
        checked("on_overflow", "error", wrong)
