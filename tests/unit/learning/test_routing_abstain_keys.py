"""abstain by key: the promise is made to each key by itself, and goes with its state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.learning import Label
from rxml.testing.virtual_time import run
from rxml.uncertain.calibration.selective import GRID, SelectiveRisk
from rxml.uncertain.calibration.selective_keys import SelectiveRisks
from tests.unit.checkpointing.memory_store import Died, MemoryStore
from tests.unit.learning.labelled import results

if TYPE_CHECKING:
    from rxml.flow.operator import Operator

RISK, DELTA, WINDOW = 0.3, 0.2, 12


def careful(**how: Any) -> Operator[Any, Any]:
    settings: dict[str, Any] = {"risk": 0.1, "delta": 0.2, "certainty": "p", "by": "k", **how}
    return ops.abstain(**settings)


def labelled(n: int, seed: int = 0, **right: float) -> list[Any]:
    """Answers of keys that are right so often, however sure they are, each followed by its label."""
    rng = np.random.default_rng(seed)
    rows: list[Any] = []
    for at in range(n):
        k = sorted(right)[at % len(right)]
        rows.append({"id": at, "k": k, "value": "a", "p": float(0.5 + rng.random() / 2)})
        rows.append(Label(at, "a" if rng.random() < right[k] else "b"))
    return rows


def share(rows: list[Any], key: str) -> float:
    """Of the latest answers of a key, how many are given."""
    return 1 - float(np.mean([row["abstained"] for row in rows if row["k"] == key][-100:]))


def test_a_small_group_that_is_wrong_often_gets_no_answers_and_the_others_keep_theirs() -> None:
    elements = labelled(600, good=0.99, poor=0.7)
    found = results(elements, careful())
    assert share(found, "good") > 0.9
    assert share(found, "poor") == 0
    together = labelled(900, a=0.99, b=0.99, c=0.99, d=0.99, e=0.99, poor=0.7)
    assert share(results(together, careful(by=None)), "poor") > 0.9


def test_each_key_fares_as_if_it_were_alone() -> None:
    elements = labelled(400, a=0.97, b=0.9, c=0.8)
    keys = {each["id"]: each["k"] for each in elements if not isinstance(each, Label)}
    found = results(elements, careful())
    for key in "abc":
        own = [
            each
            for each in elements
            if keys[each.id if isinstance(each, Label) else each["id"]] == key
        ]
        alone = results(own, careful(by=None))
        assert [row for row in found if row["k"] == key] == alone


def one(_: Any) -> int:
    return 1


def test_the_key_of_key_by_is_the_key_unless_another_is_named() -> None:
    elements = labelled(200, a=0.99, b=0.6)
    by_key, together = results(elements, careful()), results(elements, careful(by=None))
    keyed: Operator[Any, Any] = ops.key_by("k")
    assert results(elements, keyed, careful(by=None)) == by_key
    assert results(elements, keyed, careful(by=one)) == together
    assert by_key != together


def test_a_key_that_has_run_out_begins_anew() -> None:
    def at(name: int, time: int) -> dict[str, Any]:
        return {"id": name, "k": "a", "value": "a", "p": 1.0, "time": time}

    known = [each for name in range(40) for each in (at(name, name), Label(name, "a", name))]
    late = [at(1000, 10_000), Label(1000, "a", 10_000), Label(39, "b", 10_000), at(1001, 10_000)]
    rows = results(
        [*known, at(40, 40), *late],
        ops.with_event_time("time", unit="ns"),
        ops.key_by("k", ttl=100e-9),
        careful(by=None),
    )
    assert [bool(row["abstained"]) for row in rows[-3:]] == [False, True, True]


def test_a_run_that_is_saved_goes_on_as_if_nothing_had_happened() -> None:
    elements = labelled(80, a=0.99, b=0.9, c=0.5)

    async def known(store: MemoryStore) -> dict[Any, Any]:
        out: dict[Any, Any] = {}

        def keep(each: Any) -> None:
            out[each["id"]] = bool(each["abstained"])

        how = careful(risk=0.3, window=20)
        flow = rxml.from_iterable(elements).pipe(how, ops.do_action(keep))
        while True:
            try:
                await flow.run(checkpoint=Checkpoint(store, every=None, elements=7))
            except Died:
                continue
            return out

    once = run(known(MemoryStore()))
    assert run(known(MemoryStore(*range(1, 20, 3)))) == once
    assert len(set(once.values())) == 2


LABELS = st.lists(st.tuples(st.integers(0, 2), st.integers(60, 140), st.booleans()), max_size=60)


def put(risks: SelectiveRisks, labels: list[tuple[int, int, bool]]) -> None:
    slots, places, wrong = (np.array([each[at] for each in labels], np.intp) for at in range(3))
    risks.update(slots, places, wrong == 1)


@given(labels=LABELS, cut=st.integers(0, 60))
def test_the_state_of_many_keys_is_that_of_each(
    labels: list[tuple[int, int, bool]], cut: int
) -> None:
    labels = [(slot, min(place, len(GRID) - 1), wrong) for slot, place, wrong in labels]
    alone = [SelectiveRisk(RISK, DELTA, WINDOW) for _ in range(3)]
    for slot, place, wrong in labels:
        alone[slot].put(place, wrong=wrong)
    together = SelectiveRisks(RISK, DELTA, WINDOW)
    together.grow(3)
    put(together, labels[:cut])
    again = SelectiveRisks(RISK, DELTA, WINDOW)
    again.restore(together.snapshot())
    put(again, labels[cut:])
    slots = np.array([2, 0, 1, 0])
    assert again.places(slots).tolist() == [alone[slot].place for slot in (2, 0, 1, 0)]
    again.forget(np.array([0]))
    assert again.places(slots).tolist() == [alone[2].place, len(GRID), alone[1].place, len(GRID)]
    assert again.places(np.array([], np.intp)).tolist() == []


def test_what_cannot_be_promised_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="window is 3"):
        SelectiveRisks(0.1, 0.2, 3)
    with pytest.raises(TypeError, match="by"):
        careful(by=3)
