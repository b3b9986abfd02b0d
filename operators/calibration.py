"""Operators that keep what predictions promise: intervals and sets that hold as often as they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from rxml.eventtime.event_time import event_time_of
from rxml.eventtime.instants import nanoseconds
from rxml.eventtime.keyed.keyed_kernel import Where
from rxml.eventtime.keying import Keying, keying_of
from rxml.flow.check import require_count, require_function
from rxml.flow.kinds import label
from rxml.learning.calibrating import Calibrating, Intervals, Sets
from rxml.learning.hearing import hearing
from rxml.uncertain.calibration.aci import ACI
from rxml.uncertain.calibration.dtaci import DtACI
from rxml.uncertain.calibration.labels import Ledger
from rxml.uncertain.calibration.nexcp import NexCP
from rxml.uncertain.calibration.pid import PIDTracker
from rxml.uncertain.calibration.quantile_tracker import QuantileTracker
from rxml.uncertain.calibration.scores import INTERVAL_SCORES, side_level
from rxml.uncertain.calibration.sets import SetScore
from rxml.uncertain.calibration.split import SplitConformal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.eventtime.reading import Column
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration
    from rxml.learning.calibrating import Form
    from rxml.learning.coverage import Coverage
    from rxml.uncertain.calibration.calibrator import Calibrator, Unbounded

Method = Literal["aci", "dtaci", "nexcp", "pid", "quantile_tracker", "split"]
Score = Literal["abs", "norm", "cqr", "abs_sides", "norm_sides", "cqr_sides", "lac", "aps", "raps"]

_METHODS: Final[dict[str, Callable[..., Calibrator]]] = {
    "aci": ACI,
    "dtaci": DtACI,
    "nexcp": NexCP,
    "pid": PIDTracker,
    "split": SplitConformal,
}
_SETS: Final = ("lac", "aps", "raps")


def calibrate(  # noqa: PLR0913 - each is a thing of its own that one may say of intervals
    level: float = 0.9,
    *,
    labels: Flowable[Any] | None = None,
    prediction: Column | tuple[Column, ...] = "value",
    id: Column = "id",  # noqa: A002 - what it is
    by: Column | None = None,
    method: Method | Callable[[float], Calibrator] = "aci",
    score: Score = "abs",
    classes: Sequence[Any] | None = None,
    into: str = "interval",
    on_unbounded: Unbounded = "inf",
    expire: Duration | None = None,
    capacity: int = 100_000,
    coverage: Coverage | None = None,
) -> Operator[Any, Any]:
    """Put an interval around each prediction that holds the truth as often as it says, kept so by labels that come later.

    Marble:
        --1-----2--x1--3-----|   where x1 is the label of 1
        calibrate(0.9)
        --1'----2'-----3'----|   1' has an interval around what was predicted; that of 3' has learnt from x1

    Demand: n elements for n; labels beside are asked for first, up to 1024 at a time, while the reader waits.
    Buffers: at most `capacity` predictions that wait for their labels, about 100 bytes each and what their score needs; as many
        ids that had theirs; for each key the scores that its method remembers (500 numbers, `quantile_tracker` and `pid` none).
    Emits: the elements, with a column beside their own: a conformal `Interval`, or for classes which of them are in the set.
        A batch stays one; other mappings become rows. A `Label` comes to nothing: it is heard.
    Completes: with upstream, whether or not the flow of labels has ended.
    Fails: with upstream; when an element has no such prediction, id, key or time, or a label among the elements is of no use
        (neither a finite number nor one of the classes). From a flow beside such a label is logged and left out, and if that
        flow fails it is logged: nothing more is learnt.
    Cancels: upstream and labels, at once.
    Cost: for batches of one key about 2 microseconds a row, and 8 a label (`aci`); see `benchmarks aci`.

    Which method? `aci` (Gibbs and Candes, 2021) keeps the share under any drift, `dtaci` (2022) finds its step by itself,
    `quantile_tracker` and `pid` (Angelopoulos, Candes and Tibshirani, 2023) need no memory of scores and suit many keys,
    `split` is for what does not drift, `nexcp` (Barber et al., 2023) for what drifts slowly. Until a key has labels its
    intervals are as wide as `on_unbounded` says.

    A label counts against the interval that was issued for its element, however late it comes, and once; it teaches nobody
    if the state of its key was given up since (`key_by(ttl=, max_keys=)`). One whose value is None or NaN says that none will
    come. What is never labelled is counted (`coverage.now.counts`): if that is no accident, what is said of the rest does
    not hold for it.

    Args:
        level: share of cases that the truth is to be within, above 0 and below 1.
        labels: a flow of `Label`, of pairs of id and value, or of rows with both. None: labels are among the elements.
        prediction: the column of the prediction: numbers, a distribution, an interval, quantiles or class probabilities;
            or one column of numbers for each part: (mean, sd) for "norm", (lo, hi) for "cqr".
        id: the id of an element, by which its label finds it: a text or a whole number.
        by: the key: each has intervals of its own. None: that of `key_by`, or one for all.
        method: see above; or a function from the level (for scores of two sides that of one side) to a calibrator.
        score: "abs" makes intervals of one width, "norm" as wide as sd says (Lei et al., 2018), "cqr" moves the ends of
            quantiles (Romano, Patterson and Candes, 2019), each "_sides" both ends apart; "lac", "aps" and "raps" make sets.
        classes: the labels in the order of the probabilities; None: 0 to k - 1.
        into: the name of the new column.
        on_unbounded: what holds where labels so far bound nothing: "inf", "max" (the largest score), or a radius. Only with
            "inf" does the share hold for any sequence.
        expire: seconds of event time, or a timedelta, after which a label is no longer waited for. None: until there
            are `capacity` newer ones.
        capacity: predictions that may wait for their labels, >= 1.
        coverage: told of how often it held, as labels come, and for which keys least; see `rxml.learning.Coverage`.

    Raises:
        ValueError: a level, method, score or number out of its range.
        PipelineError: `labels` is no flow, or `expire` is given and there is no event time upstream.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.learning import Label
        >>> seen = [[{"id": i, "value": 0.0}, Label(i, (-1) ** i * (i % 10))] for i in range(200)]
        >>> flow = rxml.from_iterable(x for pair in seen for x in pair)
        >>> rows = asyncio.run(flow.pipe(ops.calibrate(0.8, method="split")).to_list())
        >>> len(rows), *map(float, (rows[-1]["interval"].lo, rows[-1]["interval"].hi))
        (200, -7.0, 7.0)
    """
    make = _form(score, prediction, classes)
    begin = _method(method, level, _sides(score), on_unbounded)
    begin()  # says at once what is wrong
    if coverage is not None and coverage.level != level:
        message = f"calibrate({level}) and a Coverage of {coverage.level}: promise the same"
        raise ValueError(message)
    span = None if expire is None else nanoseconds(expire, "calibrate(expire)")
    most = require_count("calibrate(capacity)", capacity, 1)
    if by is not None and not isinstance(by, str):
        require_function("calibrate(by)", by, "gives the key of an element")

    def kernel(source: Flowable[Any]) -> Callable[[], Calibrating]:
        keying = keying_of(source) if by is None else Keying(by, None, None, None)
        where = Where(keying, None if span is None else event_time_of("calibrate", source))
        return lambda: Calibrating(
            where,
            make(),
            begin(),
            ids=id,
            into=into,
            level=level,
            ledger=lambda width: Ledger(width, most, span),
            coverage=coverage,
        )

    return hearing(label("calibrate", level), kernel, labels)


def _sides(score: str) -> int:
    if score not in INTERVAL_SCORES and score not in _SETS:
        known = ", ".join([*INTERVAL_SCORES, *_SETS])
        message = f"calibrate(score) is one of {known}; got {score!r}"
        raise ValueError(message)
    return 1 if score in _SETS else INTERVAL_SCORES[score].sides


def _form(
    score: str, prediction: Column | tuple[Column, ...], classes: Sequence[Any] | None
) -> Callable[[], Form]:
    _sides(score)
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


def _method(
    method: str | Callable[[float], Calibrator], level: float, sides: int, on_unbounded: Unbounded
) -> Callable[[], Calibrator]:
    each = side_level(level, sides)
    if callable(method):
        return lambda: method(each)
    if method == "quantile_tracker":
        return lambda: QuantileTracker(each)
    if method not in _METHODS:
        message = f"calibrate(method) is one of {', '.join(sorted([*_METHODS, 'quantile_tracker']))}; got {method!r}"
        raise ValueError(message)
    return lambda: _METHODS[method](each, on_unbounded=on_unbounded)
