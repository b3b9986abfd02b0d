"""The ledger of predictions that wait, against a model of a few lines: late, twice, expired, saved, restored."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rxml import wire
from rxml.uncertain.calibration.labels import Ledger
from tests.unit.uncertain.calibration.calibrators import flat

if TYPE_CHECKING:
    from collections.abc import Callable

IDS = st.lists(st.integers(0, 12), max_size=6)
EXPIRE = 10


class Model:
    """What a ledger means, one row at a time, in dictionaries."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.waiting: dict[int, tuple[int, int, float]] = {}
        self.settled: dict[int, str] = {}
        self.counts: dict[str, int] = {}

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def settle(self, name: int, fate: str) -> tuple[int, int, float]:
        self.count(fate)
        self.settled[name] = fate
        if len(self.settled) > self.capacity:
            del self.settled[next(iter(self.settled))]
        return self.waiting.pop(name)

    def put(self, name: int, time: int, slot: int, value: float) -> None:
        if name in self.waiting or name in self.settled:
            self.count("again")
            return
        if len(self.waiting) == self.capacity:
            self.settle(next(iter(self.waiting)), "evicted")
        self.count("predicted")
        self.waiting[name] = (time, slot, value)

    def take(self, name: int, came: int) -> tuple[int, int, float] | None:
        if name not in self.waiting:
            fate = self.settled.get(name)
            self.count({None: "unknown", "labelled": "repeated"}.get(fate, "late"))
        elif came - self.waiting[name][0] >= EXPIRE:
            self.settle(name, "expired")
            self.count("late")
        else:
            return self.settle(name, "labelled")
        return None

    def advance(self, watermark: int) -> None:
        for name in [n for n, (time, _, _) in self.waiting.items() if time + EXPIRE <= watermark]:
            self.settle(name, "expired")


class LedgerMachine(RuleBasedStateMachine):
    """Both are told the same; what comes out, and what is counted, is the same."""

    @initialize(capacity=st.integers(1, 5))
    def begin(self, capacity: int) -> None:
        self.ledger, self.model = Ledger(1, capacity, EXPIRE), Model(capacity)
        self.saved: tuple[dict[str, Any], Any] | None = None
        self.made = 0

    @rule(ids=IDS, time=st.integers(0, 40))
    def predict(self, ids: list[int], time: int) -> None:
        times = [time + row % 3 for row in range(len(ids))]
        values = [float(self.made + row) for row in range(len(ids))]
        self.made += len(ids)
        slots = [name % 3 for name in ids]
        self.ledger.put(ids, np.array(times, np.int64), np.array(slots, int), _column(values))
        for row in zip(ids, times, slots, values, strict=True):
            self.model.put(*row)

    @rule(ids=IDS, came=st.integers(0, 60))
    def label(self, ids: list[int], came: int) -> None:
        taken = self.ledger.take(ids, np.full(len(ids), came))
        found = [(row, self.model.take(name, came)) for row, name in enumerate(ids)]
        wanted = [(row, one[1], one[2]) for row, one in found if one is not None]
        got = zip(taken.rows, taken.slots, taken.values[:, 0], strict=True)
        assert [(int(row), int(slot), float(value)) for row, slot, value in got] == wanted

    @rule(watermark=st.integers(0, 60))
    def expire(self, watermark: int) -> None:
        before = len(self.model.waiting)
        self.model.advance(watermark)
        assert self.ledger.advance(watermark) == before - len(self.model.waiting)

    @rule(ids=IDS)
    def abstain(self, ids: list[int]) -> None:
        self.ledger.abstain(ids)
        for name in ids:
            if name in self.model.waiting:
                self.model.settle(name, "abstained")

    @rule()
    def snapshot(self) -> None:
        model = self.model
        parts = dict(model.waiting), dict(model.settled), dict(model.counts)
        self.saved = wire.loads(wire.dumps(self.ledger.snapshot())), parts

    @rule()
    def restore(self) -> None:
        if self.saved is not None:
            state, (waiting, settled, counts) = self.saved
            self.ledger = Ledger(1, self.model.capacity, EXPIRE)
            self.ledger.restore(state)
            self.model.waiting, self.model.settled = dict(waiting), dict(settled)
            self.model.counts = dict(counts)

    @invariant()
    def they_agree(self) -> None:
        state, model = self.ledger.snapshot(), self.model
        assert state["ids"] == list(model.waiting)
        rows = zip(state["times"], state["slots"], state["values"][:, 0], strict=True)
        assert list(rows) == list(model.waiting.values())
        assert state["settled"] == list(model.settled)
        assert {name: n for name, n in state["counts"].items() if n} == model.counts
        counts = self.ledger.counts
        assert counts.predicted == counts.labelled + counts.missing + len(self.ledger)
        assert self.ledger.nbytes <= 24 * model.capacity


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=40, stateful_step_count=25)


def _column(values: list[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array(values, np.float64).reshape(len(values), 1)


def filled(rows: int, capacity: int) -> Ledger:
    ledger = Ledger(2, capacity, 5)
    values = np.arange(2.0 * rows).reshape(rows, 2)
    ledger.put([f"id{row}" for row in range(rows)], np.arange(rows), np.arange(rows) % 7, values)
    return ledger


@given(ids=st.lists(st.integers(0, 9), max_size=20), cut=st.integers(0, 20))
def test_rows_in_pieces_are_rows_together(ids: list[int], cut: int) -> None:
    ledgers = Ledger(1, 4), Ledger(1, 4)
    for ledger, cuts in zip(ledgers, ([0, 20], [0, cut, 20]), strict=True):
        for start, end in pairwise(cuts):
            part = ids[start:end]
            ledger.put(
                part, np.array(part, int), np.array(part, int), _column(list(map(float, part)))
            )
        ledger.take(ids[::2])
    assert flat(ledgers[0].snapshot()) == flat(ledgers[1].snapshot())


def test_memory_is_bounded_by_capacity() -> None:
    ledger = filled(1000, 100)
    assert len(ledger) == 100
    assert ledger.nbytes == 100 * (16 + 8 * 2)
    for start in range(1000, 5000, 50):
        ids = [f"id{row}" for row in range(start, start + 50)]
        ledger.put(ids, np.full(50, start), np.zeros(50, int), np.zeros((50, 2)))
        ledger.take(ids[:30])
    assert ledger.nbytes == 100 * (16 + 8 * 2)
    assert len(ledger.snapshot()["settled"]) == 100
    assert ledger.counts.evicted == 900 + 50 + 79 * 20


def test_what_was_kept_comes_back_with_its_label() -> None:
    ledger = filled(20, 100)
    taken = ledger.take(["id9", "never", "id3", "id9"])
    assert taken.rows.tolist() == [0, 2]
    assert taken.slots.tolist() == [2, 3]
    assert taken.values.tolist() == [[18.0, 19.0], [6.0, 7.0]]
    counts = ledger.counts
    assert (counts.labelled, counts.unknown, counts.repeated) == (2, 1, 1)


def test_without_expiry_nothing_grows_old() -> None:
    ledger = Ledger(1, 2)
    ledger.put([1], [0], [0], [[1.0]])
    assert ledger.advance(2**62) == 0
    assert len(ledger.take([1], [2**62]).rows) == 1


def test_a_smaller_ledger_takes_the_newest_of_a_larger_one() -> None:
    small = Ledger(2, 3, 5)
    small.restore(filled(5, 100).snapshot())
    assert small.snapshot()["ids"] == ["id2", "id3", "id4"]
    assert small.counts.evicted == 2
    small.take(["id0"])
    assert small.counts.late == 1


def test_counts_that_were_given_out_do_not_change() -> None:
    ledger = filled(2, 4)
    before = ledger.counts
    ledger.take(["id0"])
    assert (before.labelled, ledger.counts.labelled) == (0, 1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Ledger(0, 1), "width is 0"),
        (lambda: Ledger(1, 0), "capacity is 0"),
        (lambda: Ledger(1, 1, 0), "expire is 0"),
        (lambda: Ledger(1, 1).put([1], [0], [0], [1.0]), r"values are of shape \(1,\)"),
        (lambda: Ledger(1, 1).put([1], [0, 1], [0], [[1.0]]), "times are of shape"),
        (lambda: Ledger(1, 1).take([1], []), "times are of shape"),
        (lambda: Ledger(1, 1).restore({"ids": []}), "a state of Ledger has"),
        (lambda: Ledger(1, 1).restore(filled(1, 1).snapshot()), "values are of shape"),
    ],
)
def test_what_does_not_fit_is_said(call: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()
