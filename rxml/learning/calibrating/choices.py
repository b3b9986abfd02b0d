"""Choices: what the names that users write for `calibrate` stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rxml.learning.calibrating.kernel import Intervals, Sets
from rxml.uncertain.calibration.aci import ACI
from rxml.uncertain.calibration.dtaci import DtACI
from rxml.uncertain.calibration.nexcp import NexCP
from rxml.uncertain.calibration.pid import PIDTracker
from rxml.uncertain.calibration.quantile_tracker import QuantileTracker
from rxml.uncertain.calibration.scores import INTERVAL_SCORES, side_level
from rxml.uncertain.calibration.sets import SetScore
from rxml.uncertain.calibration.split import SplitConformal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.eventtime.reading import Column
    from rxml.learning.calibrating.kernel import Form
    from rxml.uncertain.calibration.calibrator import Calibrator, Unbounded

_METHODS: Final[dict[str, Callable[..., Calibrator]]] = {
    "aci": ACI,
    "dtaci": DtACI,
    "nexcp": NexCP,
    "pid": PIDTracker,
    "split": SplitConformal,
}
_SETS: Final = ("lac", "aps", "raps")


def sides_of(score: str) -> int:
    """How many scores a label has.

    Raises:
        ValueError: there is no such score.
    """
    if score not in INTERVAL_SCORES and score not in _SETS:
        known = ", ".join([*INTERVAL_SCORES, *_SETS])
        message = f"calibrate(score) is one of {known}; got {score!r}"
        raise ValueError(message)
    return 1 if score in _SETS else INTERVAL_SCORES[score].sides


def form_of(
    score: str, prediction: Column | tuple[Column, ...], classes: Sequence[Any] | None
) -> Callable[[], Form]:
    """What makes the form of predictions that a score is for.

    Args:
        score: its name.
        prediction: the column that has all it needs, or one for each part.
        classes: in the order of their probabilities; None: 0 to k - 1.

    Raises:
        ValueError: there is no such score, or it has not so many parts.
    """
    sides_of(score)
    columns = _tuple(prediction)
    if score in _SETS:
        kind: Any = score
        return lambda: Sets(SetScore(kind), columns[0], classes)
    wanted = INTERVAL_SCORES[score].parts
    if len(columns) not in (1, len(wanted)):
        message = f"calibrate(prediction) for {score!r} is one column, or one each for {wanted}; got {columns!r}"
        raise ValueError(message)
    return lambda: Intervals(INTERVAL_SCORES[score], columns)


def _tuple(prediction: Column | tuple[Column, ...]) -> tuple[Column, ...]:
    if callable(prediction) or isinstance(prediction, str):
        return (prediction,)
    return prediction


def method_of(
    method: str | Callable[[float], Calibrator], level: float, sides: int, on_unbounded: Unbounded
) -> Callable[[], Calibrator]:
    """What makes a calibrator.

    Args:
        method: its name, or a function from the level.
        level: of all sides together.
        sides: scores of a label.
        on_unbounded: see `Unbounded`; there are methods that need no such policy.

    Raises:
        ValueError: there is no such method.
    """
    each = side_level(level, sides)
    if callable(method):
        return lambda: method(each)
    if method == "quantile_tracker":
        return lambda: QuantileTracker(each)
    if method not in _METHODS:
        message = f"calibrate(method) is one of {', '.join(sorted([*_METHODS, 'quantile_tracker']))}; got {method!r}"
        raise ValueError(message)
    return lambda: _METHODS[method](each, on_unbounded=on_unbounded)
