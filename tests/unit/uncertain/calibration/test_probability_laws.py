"""What holds for every calibrator of probabilities: rows alone or together, kept and restored, grown, refused."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml import wire
from rxml.errors import DistributionError
from rxml.uncertain.calibration.probabilities.calibeating import Calibeating
from rxml.uncertain.calibration.probabilities.histogram import HistogramBinning
from rxml.uncertain.calibration.probabilities.isotonic import IsotonicCalibration
from rxml.uncertain.calibration.probabilities.scaling import BetaScaling, PlattScaling
from rxml.uncertain.calibration.probabilities.temperature import ClassTemperature, Temperature
from rxml.uncertain.calibration.probabilities.venn_abers import VennAbers
from tests.unit.uncertain.calibration.calibrators import KEYS, flat

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.uncertain.calibration.probabilities.keyed import KeyedProbability


def beaten(keys: int = 1) -> Calibeating:
    return Calibeating(PlattScaling(keys=keys), bins=4)


MAKERS: Final[dict[str, Callable[..., KeyedProbability]]] = {
    "platt": PlattScaling,
    "platt adagrad": partial(PlattScaling, "adagrad"),
    "beta": partial(BetaScaling, prior=1.0),
    "temperature": partial(Temperature, 0.5),
    "histogram": partial(HistogramBinning, 5, keep=0.9),
    "isotonic": partial(IsotonicCalibration, window=8, every=3),
    "venn-abers": partial(VennAbers, window=9),
    "calibeating": beaten,
}
every = pytest.mark.parametrize("name", MAKERS)
SAID: Final = st.one_of(
    st.floats(0, 1), st.sampled_from([0.0, -0.0, 1e-300, 0.2, 0.5, 1 - 1e-16, 1.0])
)
ROWS: Final = st.lists(st.tuples(st.integers(0, KEYS - 1), SAID, st.booleans()), max_size=50)


def taught(calibrator: KeyedProbability, rows: int, seed: int = 0) -> None:
    random = np.random.default_rng(seed)
    slots, p = random.integers(0, calibrator.keys, rows), random.random(rows)
    calibrator.update(slots, calibrator.issue(slots, p), random.random(rows) < p**2)


@every
@settings(max_examples=20)
@given(rows=ROWS, cuts=st.sets(st.integers(0, 50)))
def test_rows_alone_are_rows_together(
    name: str, rows: list[tuple[int, float, bool]], cuts: set[int]
) -> None:
    alone, pieces = MAKERS[name](keys=KEYS), MAKERS[name](keys=KEYS)
    slots = np.array([slot for slot, _, _ in rows], int)
    p, labels = np.array([p for _, p, _ in rows]), np.array([label for *_, label in rows], float)
    with np.errstate(all="raise"):
        issued = alone.issue(slots, p)
        for row in range(len(rows)):
            one = slice(row, row + 1)
            alone.update(slots[one], issued[one], labels[one])
        for piece in np.split(np.arange(len(rows)), sorted(cuts)):
            pieces.update(slots[piece], issued[piece], labels[piece])
        everyone, asked = np.tile(np.arange(KEYS), 5), np.linspace(0, 1, 5 * KEYS)
        together = pieces.issue(everyone, asked)
        pairs = zip(everyone, asked, strict=True)
        apart = np.concatenate([alone.issue([slot], [each]) for slot, each in pairs])
    assert flat(alone.snapshot()) == flat(pieces.snapshot())
    assert together.tobytes() == apart.tobytes()
    assert (together[:, 0] >= 0).all()
    assert (together[:, 0] <= 1).all()
    assert together[:, -1].tolist() == asked.tolist()


@every
def test_it_goes_on_from_a_snapshot(name: str) -> None:
    first, second = MAKERS[name](keys=3), MAKERS[name]()
    taught(first, 90)
    saved = first.snapshot()
    before = flat(saved)
    second.restore(wire.loads(wire.dumps(saved)))
    for each in (first, second):
        each.grow(5)
        taught(each, 50, seed=1)
    assert first.keys == second.keys == 5
    assert flat(first.snapshot()) == flat(second.snapshot())
    assert flat(saved) == before


@every
def test_growing_and_forgetting_touch_no_other_key(name: str) -> None:
    calibrator = MAKERS[name](keys=2)
    taught(calibrator, 60)
    asked = np.linspace(0, 1, 9)
    before = calibrator.issue(np.zeros(9, int), asked)
    calibrator.grow(4)
    calibrator.forget([1])
    assert flat(calibrator.issue(np.zeros(9, int), asked)) == flat(before)
    new = MAKERS[name]().issue(np.zeros(9, int), asked)
    for slot in (1, 3):
        assert flat(calibrator.issue(np.full(9, slot), asked)) == flat(new)


@every
def test_bad_rows_are_refused_before_anything_is_learnt(name: str) -> None:
    calibrator = MAKERS[name](keys=2)
    before, issued = flat(calibrator.snapshot()), calibrator.issue([0, 1], [0.2, 0.3])
    with pytest.raises(DistributionError, match=r"not within \[0, 1\] in 1 row\(s\): 1"):
        calibrator.issue([0, 1], [0.5, 1.5])
    with pytest.raises(DistributionError, match=r"probabilities are NaN in 1 row\(s\): 0"):
        calibrator.issue([0, 1], [np.nan, 0.5])
    with pytest.raises(DistributionError, match=r"neither 0 nor 1 in 1 row\(s\): 1"):
        calibrator.update([0, 1], issued, [1, 2])
    with pytest.raises(IndexError, match=r"grow\(3\)"):
        calibrator.update([0, 2], issued, [1, 0])
    with pytest.raises(ValueError, match="issued are of shape"):
        calibrator.update([0, 1], issued[:, :1], [1, 0])
    with pytest.raises(ValueError, match="state"):
        calibrator.restore({})
    assert flat(calibrator.snapshot()) == before


@every
def test_without_rows_nothing_happens(name: str) -> None:
    calibrator = MAKERS[name](keys=0)
    assert calibrator.issue([], []).shape == (0, calibrator.width)
    calibrator.update([], np.empty((0, calibrator.width)), [])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: PlattScaling("sgd"), "steps is 'sgd'"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: PlattScaling(gamma=0), "gamma is 0"),
        (lambda: Temperature(np.inf), "rate is inf"),
        (lambda: ClassTemperature(1), "classes is 1"),
        (lambda: HistogramBinning(0), "bins is 0"),
        (lambda: HistogramBinning(keep=1.5), "keep is 1.5"),
        (lambda: IsotonicCalibration(every=0), "every is 0"),
        (lambda: VennAbers(0), "window is 0"),
        (lambda: Calibeating(PlattScaling(), 0), "bins is 0"),
        (
            lambda: beaten().restore({**beaten(2).snapshot(), "inner": PlattScaling().snapshot()}),
            "got 2 and 1",
        ),
    ],
)
def test_what_cannot_be_is_said(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()
