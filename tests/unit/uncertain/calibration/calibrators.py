"""Every calibrator, by name, and streams of labels for them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from hypothesis import strategies as st

from rxml.uncertain.calibration.aci import ACI
from rxml.uncertain.calibration.dtaci import DtACI
from rxml.uncertain.calibration.nexcp import NexCP
from rxml.uncertain.calibration.pid import PIDTracker
from rxml.uncertain.calibration.quantile_tracker import QuantileTracker
from rxml.uncertain.calibration.split import SplitConformal

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rxml.uncertain.calibration.calibrator import Calibrator

MAKERS: Final[dict[str, Callable[..., Calibrator]]] = {
    "aci": partial(ACI, gamma=0.05, window=7),
    "aci max": partial(ACI, gamma=0.3, window=7, on_unbounded="max"),
    "aci cap": partial(ACI, gamma=0.3, window=30, on_unbounded=1.5),
    "dtaci": partial(DtACI, gammas=(0.01, 0.1, 0.5), window=9),
    "split": partial(SplitConformal, 0.7, window=6),
    "split pooled": partial(SplitConformal, 0.7, window=6, pooled=True),
    "nexcp": partial(NexCP, 0.6, rho=0.8, window=8),
    "tracker": QuantileTracker,
    "tracker score": partial(QuantileTracker, unit="score", rate=0.3),
    "pid": partial(PIDTracker, saturation=0.3),
    "pid cast": partial(PIDTracker, scorecaster=0.2, saturation=0.3, on_unbounded="max"),
}

KEYS: Final = 4
SCORES: Final = st.one_of(st.floats(-3, 3), st.sampled_from([0.0, -0.0, 1.0, 1e300, -1e300]))
ROWS: Final = st.lists(st.tuples(st.integers(0, KEYS - 1), SCORES), max_size=60)


def columns(rows: list[tuple[int, float]]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Slots and scores."""
    slots, scores = zip(*rows, strict=True) if rows else ((), ())
    return np.array(slots, np.intp), np.array(scores, np.float64)


def followed(calibrator: Calibrator, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The radii that one key is issued when each label comes before the next prediction."""
    radii: list[float] = []
    for score in scores:
        issued = calibrator.issue([0])
        radii.append(float(issued[0, 0]))
        calibrator.update([0], [score], issued)
    return np.array(radii)


def flat(state: Any) -> Any:
    """A snapshot as lists, to be compared to the last bit; NaN equals NaN."""
    if isinstance(state, dict):
        named = cast("dict[str, Any]", state)
        return {name: flat(each) for name, each in named.items()}
    if isinstance(state, np.ndarray):
        array = cast("NDArray[Any]", state)
        return array.dtype.str, array.shape, array.tobytes()
    return state
