"""abstain: of the answers that are given no more are wrong than was promised, from when labels prove it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import DistributionError, PipelineError, SchemaError
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.flow.service import Service
from rxml.learning import Label
from rxml.testing.virtual_time import run
from rxml.uncertain import Categorical
from rxml.uncertain.calibration.selective import GRID, SelectiveRisk, places
from tests.unit.checkpointing.memory_store import Died, MemoryStore
from tests.unit.learning.labelled import results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.flow.operator import Operator

binom: Any = import_module("scipy.stats").binom


def said(name: Any, value: Any, p: float) -> dict[str, Any]:
    return {"id": name, "value": value, "p": p}


def careful(**how: Any) -> Operator[Any, Any]:
    settings: dict[str, Any] = {"risk": 0.1, "certainty": "p", **how}
    return ops.abstain(**settings)


def labelled(n: int, seed: int = 0) -> list[Any]:
    """Answers that are right as often as they are sure, each followed by its label."""
    rng = np.random.default_rng(seed)
    sure = 1.0 - rng.random(n) ** 2 / 2
    right = rng.random(n) < sure
    rows = zip(sure.tolist(), right.tolist(), strict=True)
    return [
        each
        for at, (p, true) in enumerate(rows)
        for each in (said(at, "a", p), Label(at, "a" if true else "b"))
    ]


def marks(rows: Sequence[Any]) -> list[bool]:
    return [bool(row["abstained"]) for row in rows]


def reference(sure: list[float], wrong: list[bool], risk: float, delta: float) -> float:
    """Learn then Test, written out: the least certainty that is reached from any of the starts."""

    def least(starts: int) -> int:
        return int(np.ceil(np.log(delta / starts) / np.log(1 - risk)))

    falling = sorted(GRID, reverse=True)
    chosen = [[bad for each, bad in zip(sure, wrong, strict=True) if each >= at] for at in falling]
    many = max(k for k in range(1, 40) if least(k) * 2 ** (k - 1) <= len(sure))
    sizes = [least(many) * 2**each for each in range(many)]
    starts = {next(at for at, n in enumerate(chosen) if len(n) >= size) for size in sizes}
    found = 2.0
    for start in starts:
        for at in range(start, len(falling)):
            if binom.cdf(sum(chosen[at]), len(chosen[at]), risk) > delta / len(starts):
                break
            found = min(found, falling[at])
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_threshold_is_that_of_learn_then_test(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sure = (1.0 - rng.random(700) ** 3 / 2).tolist()
    wrong = (rng.random(700) > np.array(sure)).tolist()
    risk = SelectiveRisk(0.1, 0.05, window=500)
    for place, bad in zip(places(sure).tolist(), wrong, strict=True):
        risk.put(place, wrong=bad)
    want = reference(sure[-500:], wrong[-500:], 0.1, 0.05)
    assert 0.5 < want < 1.0
    assert GRID[risk.place] == want


@pytest.mark.parametrize(("risk", "delta"), [(0.01, 0.05), (0.1, 0.2), (0.5, 0.001), (0.9, 0.5)])
def test_so_few_errors_are_proof_enough(risk: float, delta: float) -> None:
    promised = SelectiveRisk(risk, delta)
    known = promised._critical(1).errors(3000)  # pyright: ignore[reportPrivateUsage]
    n = np.arange(len(known))
    assert (binom.cdf(known, n, risk) <= delta).all()
    assert (binom.cdf(known + 1, n, risk) > delta).all()
    assert np.argmax(known >= 0) == promised.least


def threshold(sure: NDArray[np.float64], wrong: NDArray[np.bool_], risk: SelectiveRisk) -> float:
    """The least certainty of an answer that is given; 2: none is."""
    risk.restore({"latest": np.column_stack([places(sure), wrong])})
    return GRID[risk.place] if risk.place < len(GRID) else 2.0


def test_the_promise_is_kept_as_often_as_it_says() -> None:
    broken, tries, most = 0, 60, SelectiveRisk(0.1, 0.2)
    for seed in range(tries):
        rng = np.random.default_rng(1000 + seed)
        sure = 0.5 + rng.random(300) / 2
        found = threshold(sure, rng.random(300) > sure, most)
        broken += found < 2 and (1 - found) / 2 > 0.1  # certainties that are true and even
    assert broken <= 22  # binomial(60, 0.2) is above with probability 0.001
    assert SelectiveRisk(0.01, 0.05).least == 299


@pytest.mark.parametrize("labels", [60, 500, 3000])
def test_no_more_starts_break_it_where_nothing_at_all_could_be_promised(labels: int) -> None:
    broken, tries, most = 0, 300, SelectiveRisk(0.1, 0.2)
    for seed in range(tries):
        rng = np.random.default_rng(seed)
        broken += threshold(rng.random(labels), rng.random(labels) < 0.1001, most) < 2
    assert 0 < broken <= 0.2 * tries


@pytest.mark.parametrize(("more", "given"), [(0.0, 0.65), (0.02, 0.55), (0.05, 0.33)])
def test_errors_among_the_surest_do_not_end_it(more: float, given: float) -> None:
    most = SelectiveRisk(0.1, 0.05)
    found: list[float] = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        sure = 1.0 - rng.random(3000) ** 2 / 2
        wrong = rng.random(3000) < 1 - sure + more
        found.append(float(np.mean(sure >= threshold(sure, wrong, most))))
    assert np.count_nonzero(found) > 90
    assert np.mean(found) > given


def test_until_enough_labels_have_come_there_is_no_answer() -> None:
    sure: list[Any] = [each for at in range(40) for each in (said(at, 1, 0.99), Label(at, 1))]
    assert marks(results(sure, careful())) == [True] * 29 + [False] * 11


def test_answers_that_are_given_are_right_and_marked_ones_may_be_taken_away() -> None:
    rows = results(labelled(1500), careful())
    given = [row for row in rows[500:] if not row["abstained"]]
    assert 0.4 < len(given) / 1000 < 0.99
    assert {row["value"] for row in rows} == {"a"}
    without = results(labelled(1500), careful(keep=False))
    assert marks(without) == marks(rows)
    assert [row["value"] is None for row in without] == marks(rows)


def test_batches_come_to_what_rows_do_and_numbers_become_nan() -> None:
    rows = [said(at, float(at % 2), 0.9) for at in range(80)]
    labels = [Label(at, at % 2) for at in range(80)]
    later = [{**row, "id": 100 + row["id"]} for row in rows]
    mixed = rxml.concat(
        rxml.from_batches([Batch.from_rows(rows)]),
        rxml.from_iterable(labels),
        rxml.from_batches([Batch.from_rows(later)]),
    )
    found = run(mixed.pipe(careful(keep=False)).to_list())
    assert np.isnan([row["value"] for row in found[:80]]).all()
    assert [row["value"] for row in found[80:]] == [row["value"] for row in later]
    assert [*map(dict, results([*rows, *labels, *later], careful()))][80:] == [
        *map(dict, found[80:])
    ]


def test_classes_say_how_sure_they_are() -> None:
    elements: list[Any] = []
    for at in range(40):
        value = Categorical([0.9, 0.1], classes=["cat", "dog"])
        elements += [{"id": at, "value": value}, Label(at, "cat")]
    assert marks(results(elements, careful(certainty=None)))[-1] is False
    taken = results(elements, careful(certainty=None, keep=False))
    assert (taken[0]["value"], taken[-1]["value"]) == (None, "cat")


def test_a_run_that_is_saved_goes_on_as_if_nothing_had_happened() -> None:
    elements = labelled(60)

    async def known(store: MemoryStore) -> dict[Any, Any]:
        out: dict[Any, Any] = {}

        def keep(each: Any) -> None:
            out[each["id"]] = bool(each["abstained"])

        flow = rxml.from_iterable(elements).pipe(careful(risk=0.2, delta=0.2), ops.do_action(keep))
        while True:
            try:
                await flow.run(checkpoint=Checkpoint(store, every=None, elements=5))
            except Died:
                continue
            return out

    once = run(known(MemoryStore()))
    assert run(known(MemoryStore(*range(1, 20, 3)))) == once
    assert len(set(once.values())) == 2


def test_a_service_tells_each_whether_it_has_an_answer() -> None:
    async def main() -> bool:
        async with Service(careful(labels=rxml.of())) as service:
            return bool((await service.ask(said(1, "a", 0.9)))["abstained"])

    assert run(main()) is True
    with pytest.raises(PipelineError, match="abstain"):
        Service(careful())


@pytest.mark.parametrize(
    ("row", "how", "error", "text"),
    [
        (said(1, "a", 1.5), {}, DistributionError, r"row 0 is sure to 1\.5"),
        (said(1, 1j, 0.5), {}, SchemaError, "a class is a number or a text"),
        (said(1, "a", 0.5), {"certainty": None}, SchemaError, "is no Categorical"),
        (said(1, "a", 0.5), {"certainty": "q"}, SchemaError, "'q'"),
    ],
)
def test_what_is_no_answer_is_named(row: Any, how: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        results([row], careful(**how))


@pytest.mark.parametrize(
    ("how", "error", "text"),
    [
        ({"risk": 0.0}, ValueError, r"risk is 0\.0"),
        ({"delta": 1.0}, ValueError, r"delta is 1\.0"),
        ({"window": 28}, ValueError, "it takes 29 labels to promise a risk of 0.1"),
        ({"keep": False, "prediction": str}, TypeError, "name of a column"),
    ],
)
def test_promises_that_cannot_be_kept_are_refused(how: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        careful(**how)
