"""Operators that keep what predictions promise: intervals and sets that hold as often as they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from rxml.flow.kinds import label
from rxml.learning.calibrating.choices import form_of, method_of, sides_of
from rxml.learning.calibrating.kernel import Calibrating
from rxml.learning.calibrating.probabilities import CalibratingProbability
from rxml.learning.hearing import hearing
from rxml.learning.waiting import waiting
from rxml.uncertain.calibration.probabilities import (
    BetaScaling,
    Calibeating,
    HistogramBinning,
    IsotonicCalibration,
    PlattScaling,
    Temperature,
    VennAbers,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.eventtime.reading import Column
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration
    from rxml.learning.calibrating.coverage import Coverage
    from rxml.uncertain.calibration.calibrator import Calibrator, Unbounded
    from rxml.uncertain.calibration.probabilities import KeyedProbability

Method = Literal["aci", "dtaci", "nexcp", "pid", "quantile_tracker", "split"]
Scaling = Literal["beta", "histogram", "isotonic", "platt", "temperature", "venn_abers"]
Score = Literal["abs", "norm", "cqr", "abs_sides", "norm_sides", "cqr_sides", "lac", "aps", "raps"]

_SCALINGS: Final[dict[str, Callable[..., KeyedProbability]]] = {
    "beta": BetaScaling,
    "histogram": HistogramBinning,
    "isotonic": IsotonicCalibration,
    "platt": PlattScaling,
    "temperature": Temperature,
    "venn_abers": VennAbers,
}


def calibrate(  # noqa: PLR0913 - each is a thing of its own that one may say of intervals
    level: float = 0.9,
    *,
    labels: Flowable[Any] | None = None,
    pass_labels: bool = False,
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
        pass_labels: those among the elements go on when they were heard, to what hears them further on.
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
    make = form_of(score, prediction, classes)
    begin = method_of(method, level, sides_of(score), on_unbounded)
    begin()  # says at once what is wrong
    if coverage is not None and coverage.level != level:
        message = f"calibrate({level}) and a Coverage of {coverage.level}: promise the same"
        raise ValueError(message)
    waits = waiting("calibrate", by, expire, capacity)

    def kernel(source: Flowable[Any]) -> Callable[[], Calibrating]:
        place = waits.where(source)
        return lambda: Calibrating(
            place,
            make(),
            begin(),
            ids=id,
            into=into,
            level=level,
            ledger=waits.ledger,
            coverage=coverage,
        )

    return hearing(label("calibrate", level), kernel, labels, pass_labels=pass_labels)


def calibrate_probability(  # noqa: PLR0913 - each is a thing of its own that one may say of probabilities
    method: Scaling | Callable[[], KeyedProbability] = "platt",
    *,
    calibeating: bool = False,
    labels: Flowable[Any] | None = None,
    pass_labels: bool = False,
    prediction: Column = "value",
    id: Column = "id",  # noqa: A002 - what it is
    by: Column | None = None,
    into: str = "probability",
    expire: Duration | None = None,
    capacity: int = 100_000,
) -> Operator[Any, Any]:
    """Say how often what a model calls 80 % has come, kept so by labels that come later.

    Marble:
        --.8----.8--x1--.8-----|   where x1 says that 1 did not come
        calibrate_probability("platt")
        --.8----.8------.79----|

    Demand: n elements for n; labels beside are asked for first, up to 1024 at a time, while the reader waits.
    Buffers: at most `capacity` predictions that wait for their labels, about 100 bytes each, as many ids that had theirs;
        for each key a few numbers, or the labels in the window of `isotonic` (500) and `venn_abers` (200).
    Emits: the elements, with a column beside their own: the probability; of `venn_abers` an `Interval` around it, of
        `histogram` a `Beta` (with `calibeating` both are a plain number). A batch stays one; other mappings become rows. A
        `Label` is heard, and comes to nothing unless it is to be passed on.
    Completes: with upstream, whether or not the flow of labels has ended.
    Fails: with upstream; when an element has no such probability, id, key or time, or a label among the elements is neither
        true nor false. From a flow beside such a label is logged and left out, and if that flow fails it is logged:
        nothing more is learnt.
    Cancels: upstream and labels, at once.
    Cost: for batches a few microseconds a row, of `venn_abers` up to 100; about 10 a label, of `isotonic` 20.

    Which method? `platt` (Platt, 1999; online: Gupta and Ramdas, 2023) for what is over- or underconfident by a simple rule,
    `beta` (Kull et al., 2017) for trees and Bayes models, `temperature` (Guo et al., 2017) for networks; with more labels
    and no rule `isotonic` (Zadrozny and Elkan, 2002); where the doubt is to be told `histogram`, or `venn_abers` (Vovk
    and Petej, 2014), of whose two ends one is calibrated in any finite sample. With `calibeating` (Foster and Hart, 2023)
    it holds for whatever comes.

    Labels count as for `calibrate`: once, for what was said of their element, and for nobody if its key's state is gone.

    Args:
        method: see above; or a function to a calibrator of `rxml.uncertain.calibration.probabilities`.
        calibeating: what the method said is replaced by what has happened when it said so.
        labels: a flow of `Label`, of pairs of id and value, or of rows with both; values are true or false, 1 or 0. None:
            labels are among the elements.
        pass_labels: those among the elements go on when they were heard, to what hears them further on.
        prediction: the column of the probability: numbers within [0, 1], events, or `Beta`.
        id: the id of an element, by which its label finds it: a text or a whole number.
        by: the key: each has a map of its own. None: that of `key_by`, or one for all.
        into: the name of the new column.
        expire: seconds of event time, or a timedelta, after which a label is no longer waited for. None: until there
            are `capacity` newer ones.
        capacity: predictions that may wait for their labels, >= 1.

    Raises:
        ValueError: a method or number out of its range.
        PipelineError: `labels` is no flow, or `expire` is given and there is no event time upstream.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.learning import Label
        >>> seen = [[{"id": i, "value": 0.9}, Label(i, i % 2 == 0)] for i in range(1000)]
        >>> flow = rxml.from_iterable(x for pair in seen for x in pair)
        >>> rows = asyncio.run(flow.pipe(ops.calibrate_probability()).to_list())
        >>> round(rows[0]["probability"], 3), round(rows[-1]["probability"], 1)
        (0.9, 0.5)
    """
    begin = _scaling(method, calibeating=calibeating)
    begin()  # says at once what is wrong
    waits = waiting("calibrate_probability", by, expire, capacity)

    def kernel(source: Flowable[Any]) -> Callable[[], CalibratingProbability]:
        place = waits.where(source)
        return lambda: CalibratingProbability(
            place, begin(), prediction=prediction, ids=id, into=into, ledger=waits.ledger
        )

    shown = method if isinstance(method, str) else "own"
    return hearing(label("calibrate_probability", shown), kernel, labels, pass_labels=pass_labels)


def _scaling(
    method: str | Callable[[], KeyedProbability], *, calibeating: bool
) -> Callable[[], KeyedProbability]:
    if not callable(method) and method not in _SCALINGS:
        known = ", ".join(sorted(_SCALINGS))
        raise ValueError(f"calibrate_probability(method) is one of {known}; got {method!r}")
    begin = method if callable(method) else _SCALINGS[method]
    return (lambda: Calibeating(begin())) if calibeating else begin
