"""What holds for every calibrator: rows alone or together, kept and restored, grown, refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml import wire
from rxml.errors import DistributionError
from rxml.uncertain.calibration import keyed
from rxml.uncertain.calibration.aci import ACI
from rxml.uncertain.calibration.dtaci import DtACI
from rxml.uncertain.calibration.nexcp import NexCP
from rxml.uncertain.calibration.pid import PIDTracker
from rxml.uncertain.calibration.quantile_tracker import QuantileTracker
from rxml.uncertain.calibration.split import SplitConformal
from tests.unit.uncertain.calibration.calibrators import KEYS, MAKERS, ROWS, columns, flat, followed

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.uncertain.calibration.calibrator import Calibrator

every = pytest.mark.parametrize("name", MAKERS)


@every
@settings(max_examples=25)
@given(rows=ROWS, cuts=st.sets(st.integers(0, 60)), few=st.sampled_from([0, keyed.FEW]))
def test_rows_alone_are_rows_together(
    name: str, rows: list[tuple[int, float]], cuts: set[int], few: int
) -> None:
    alone, pieces = MAKERS[name](keys=KEYS), MAKERS[name](keys=KEYS)
    slots, scores = columns(rows)
    kept = np.full((len(rows), alone.width), 0.5)  # as if issued long before
    with np.errstate(all="raise"):
        for row in range(len(rows)):
            one = slice(row, row + 1)
            alone.update(slots[one], scores[one], kept[one])
        everyone = np.tile(np.arange(KEYS), 5)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(keyed, "FEW", few)  # at 0 all rows are taken as arrays
            for piece in np.split(np.arange(len(rows)), sorted(cuts)):
                pieces.update(slots[piece], scores[piece], kept[piece])
            together = pieces.issue(everyone)
        apart = np.concatenate([alone.issue([slot]) for slot in everyone])
    assert flat(alone.snapshot()) == flat(pieces.snapshot())
    assert together.tobytes() == apart.tobytes()


@every
def test_many_keys_at_once_are_each_key_alone(name: str) -> None:
    keys, labels = 20, 25
    random = np.random.default_rng(3)
    scores = random.normal(size=(labels, keys)).round(1)
    pooled = "split" in name  # what others have scored matters there
    together, alone = (
        MAKERS[name](keys=keys),
        [MAKERS[name]() for _ in range(0 if pooled else keys)],
    )
    slots = np.arange(keys)
    with np.errstate(all="raise"):
        for row in scores:
            issued = together.issue(slots)
            together.update(slots, row, issued)
            mine = [each.issue([0]) for each in alone]
            assert pooled or np.concatenate(mine).tobytes() == issued.tobytes()
            for each, score, before in zip(alone, row, mine, strict=not pooled):
                each.update([0], [score], before)
    for slot, each in enumerate(alone):
        assert flat(each.issue([0])) == flat(together.issue([slot]))


@every
def test_memory_is_of_keys_and_of_nothing_else(name: str) -> None:
    calibrator = MAKERS[name](keys=64)
    before = calibrator.nbytes
    slots = np.arange(640) % 64
    calibrator.update(slots, np.ones(640), np.zeros((640, calibrator.width)))
    assert calibrator.nbytes == before
    calibrator.grow(65)
    assert before < calibrator.nbytes <= 2 * before


@every
def test_it_goes_on_from_a_snapshot(name: str) -> None:
    random = np.random.default_rng(1)
    first, second = MAKERS[name](keys=3), MAKERS[name]()
    slots = random.integers(0, 3, 90)
    first.update(slots, random.normal(size=90), np.full((90, first.width), 0.7))
    saved = first.snapshot()
    before = flat(saved)
    second.restore(wire.loads(wire.dumps(saved)))
    assert second.keys == 3
    for each in (first, second):
        each.grow(5)
        each.update([4, 0, 0], [1.0, 2.0, 0.1], np.full((3, first.width), 0.2))
    assert flat(first.snapshot()) == flat(second.snapshot())
    assert flat(saved) == before


@every
def test_growing_changes_no_key_that_there_is(name: str) -> None:
    small, large = MAKERS[name](keys=1), MAKERS[name](keys=9)
    scores = np.random.default_rng(2).normal(size=20)
    followed(small, scores)
    followed(large, scores)
    for keys in (2, 5, 3, 9):
        small.grow(keys)
    assert small.keys == 9
    assert flat(small.snapshot()) == flat(large.snapshot())


@every
def test_a_key_that_is_forgotten_is_as_new(name: str) -> None:
    calibrator = MAKERS[name](keys=3)
    random = np.random.default_rng(2)
    scores = random.normal(size=60)
    calibrator.update(np.arange(60) % 3, scores, np.full((60, calibrator.width), 0.5))
    before = calibrator.issue([0, 2])
    calibrator.forget([1])
    assert flat(calibrator.issue([0, 2])) == flat(before)
    if "split" not in name:  # which falls back on all keys
        assert flat(calibrator.issue([1])) == flat(MAKERS[name]().issue([0]))


@every
def test_without_rows_nothing_happens(name: str) -> None:
    calibrator = MAKERS[name](keys=0)
    assert calibrator.issue([]).shape == (0, calibrator.width)
    calibrator.update([], [], np.empty((0, calibrator.width)))
    assert calibrator.keys == 0


@every
def test_bad_rows_are_refused_before_anything_is_learnt(name: str) -> None:
    calibrator = MAKERS[name](keys=2)
    issued = np.zeros((3, calibrator.width))
    before = flat(calibrator.snapshot())
    with pytest.raises(DistributionError, match=r"NaN in 2 row\(s\): 0, 2"):
        calibrator.update([0, 1, 0], [np.nan, 1.0, np.nan], issued)
    with pytest.raises(IndexError, match=r"grow\(3\)"):
        calibrator.update([0, 2, 0], [1.0, 1.0, 1.0], issued)
    with pytest.raises(IndexError, match="slots from -1"):
        calibrator.issue([-1])
    with pytest.raises(ValueError, match="slots are float64"):
        calibrator.issue([0.5])
    with pytest.raises(ValueError, match="scores are of shape"):
        calibrator.update([0, 1, 0], [1.0], issued)
    with pytest.raises(ValueError, match="issued are of shape"):
        calibrator.update([0, 1, 0], [1.0, 1.0, 1.0], issued[:, :0])
    assert flat(calibrator.snapshot()) == before


@pytest.mark.parametrize("make", [QuantileTracker, PIDTracker])
def test_trackers_cannot_follow_what_is_infinite(make: Callable[[], Calibrator]) -> None:
    with pytest.raises(DistributionError, match="infinite in 1"):
        make().update([0], [np.inf], [[1.0]])
    tracker = make()
    with np.errstate(all="raise"):
        for score in (1e300, -1e300, 1.0):
            tracker.update([0], [score], tracker.issue([0]))
        with pytest.raises(DistributionError, match="beyond 1e300 in 1"):
            tracker.update([0], [1e301], tracker.issue([0]))
        assert np.isfinite(tracker.issue([0])).all()


@every
def test_a_state_of_something_else_is_refused(name: str) -> None:
    calibrator = MAKERS[name](keys=2)
    with pytest.raises(ValueError, match=r"state"):
        calibrator.restore({})
    with pytest.raises(ValueError, match=r"state"):
        calibrator.restore({table: {} for table in calibrator.snapshot()})


@every
def test_a_state_may_be_laid_out_in_memory_in_any_way(name: str) -> None:
    first, second = MAKERS[name](keys=3), MAKERS[name]()
    scores = np.random.default_rng(8).normal(size=60)
    first.update(np.arange(60) % 3, scores, np.full((60, first.width), 0.5))
    saved = first.snapshot()
    tables = {table: {n: np.asfortranarray(a) for n, a in s.items()} for table, s in saved.items()}
    second.restore(tables)
    for each in (first, second):
        followed(each, scores)  # a single row at a time
    assert flat(first.snapshot()) == flat(second.snapshot())


def test_a_state_of_another_window_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 6\), wanted \('keys', 5\)"):
        ACI(window=5).restore(ACI(window=6).snapshot())


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ACI(1.0), "level is 1.0"),
        (lambda: ACI(gamma=0), "gamma is 0"),
        (lambda: ACI(window=0), "window is 0"),
        (lambda: ACI(keys=-1), "keys is -1"),
        (lambda: ACI(on_unbounded="clip"), "on_unbounded is 'clip'"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: DtACI(gammas=()), "number of gammas is 0"),
        (lambda: DtACI(gammas=(0.1, -1)), "a step of gammas is -1"),
        (lambda: DtACI(sigma=1.5), r"sigma is 1.5.*at most 1"),
        (lambda: SplitConformal(window=1.5), "window is 1.5"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: SplitConformal(0.99, window=98), "give at least 99"),
        (lambda: NexCP(rho=0), "rho is 0"),
        (lambda: QuantileTracker(unit="sd"), "unit is 'sd'"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: QuantileTracker(memory=0.5), "memory is 0.5"),
        (lambda: PIDTracker(scorecaster=2), "scorecaster is 2"),
        (lambda: PIDTracker(saturation=np.inf), "saturation is inf"),
    ],
)
def test_what_cannot_be_is_said(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()
