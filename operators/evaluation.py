"""Operators that tell how good predictions are, and whether what they are of has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.flow.kinds import label
from rxml.learning.delaying.holding import one_for_each
from rxml.learning.evaluating.columns import require_where
from rxml.learning.evaluating.drifting import Drifting
from rxml.learning.evaluating.kernel import Evaluating
from rxml.learning.hearing import hearing
from rxml.learning.waiting import waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.evaluation.drift import DriftDetector
    from rxml.eventtime.reading import Column
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration
    from rxml.learning.evaluating.columns import Prediction
    from rxml.learning.evaluating.drifts import Drifts
    from rxml.learning.evaluating.handle import Evaluation


def evaluate(
    evaluation: Evaluation,
    *,
    labels: Flowable[Any] | None = None,
    prediction: Prediction = "value",
    id: Column = "id",  # noqa: A002 - what it is
    by: Column | None = None,
    expire: Duration | None = None,
    capacity: int = 100_000,
    pass_labels: bool = False,
) -> Operator[Any, Any]:
    """Judge predictions by labels that come later: prequential evaluation, told on the side.

    Marble:
        --1--2--x1--3--x2--|    where x1 is the label of 1
        evaluate(evaluation)
        --1--2------3------|    and evaluation.reports has what 1, then 1 and 2, were worth

    Demand: n elements for n; labels beside are asked for first, up to 1024 at a time, while the reader waits.
    Buffers: at most `capacity` predictions that wait for their labels, about 300 bytes each, and as many ids that had theirs;
        for each key the state of the metrics; the reports that the `Evaluation` keeps.
    Emits: the elements as they are. A `Label` comes to nothing: it is heard.
    Completes: with upstream, whether or not the flow of labels has ended; then there is a last report.
    Fails: with upstream; when an element has no such prediction, id, key or time; when a label is none that the metrics can
        judge by. A flow of labels that fails is logged: nothing more is judged.
    Cancels: upstream and labels, at once.
    Cost: about 1 microsecond an element; for a label and two metrics 100 microseconds if labels come one by one, 8 in runs; a
        report about 100 for each metric, and the first ones of means 15 milliseconds, for Student's t.

    A prediction counts once, by the first label that comes for it, and if it has none (NaN or None) it is left out. What
    is never labelled is counted (`report.counts`): if that is no accident, what is said of the rest does not hold for it.

    Args:
        evaluation: `rxml.learning.Evaluation(Metrics("accuracy", "f1"))`: told what metrics, of all rows, of rows that fade or of
            the last ones, how often, and where to read it.
        labels: a flow of `Label`, of pairs of id and value, or of rows with both. None: labels are among the elements.
        prediction: the column of the prediction: numbers, classes, a distribution, an interval or class probabilities; or where
            each is that the metrics need, as {"lower": "lo", "upper": "hi", "level": 0.9}.
        id: the id of an element, by which its label finds it: a text or a whole number.
        by: the key: of each there are reports, too. None: that of `key_by`, or all belong together.
        expire: seconds of event time, or a timedelta, after which a label is no longer waited for. None: until there
            are `capacity` newer ones.
        capacity: predictions that may wait for their labels, >= 1.
        pass_labels: labels among the elements go on, for what hears them further on.

    Raises:
        ValueError: a number out of its range, or `prediction` does not say where all is.
        PipelineError: `labels` is no flow, or `expire` is given and there is no event time upstream.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.evaluation.metrics import Metrics
        >>> from rxml.learning import Evaluation, Label
        >>> seen = [[{"id": i, "value": i % 3}, Label(i, i % 2)] for i in range(60)]
        >>> watched = Evaluation(Metrics("accuracy", "mae"))
        >>> flow = rxml.from_iterable(x for pair in seen for x in pair)
        >>> len(asyncio.run(flow.pipe(ops.evaluate(watched)).to_list()))
        60
        >>> watched.now["accuracy"], watched.now["mae"]
        (0.3333333333333333, 0.8333333333333333)
    """
    require_where(prediction, evaluation.needs)
    waits = waiting("evaluate", by, expire, capacity)

    def kernel(source: Flowable[Any]) -> Callable[[], Evaluating]:
        at = waits.where(source)
        return lambda: Evaluating(
            at,
            evaluation,
            ids=id,
            prediction=prediction,
            waiting=waits.anything(),
        )

    name = label("evaluate", ", ".join(evaluation.names))
    return hearing(name, kernel, labels, pass_labels=pass_labels)


def detect_drift(  # noqa: PLR0913 - each is a thing of its own that one may say of drift
    detector: DriftDetector,
    column: Column = "value",
    *,
    loss: Callable[[Any, Any], float] | None = None,
    labels: Flowable[Any] | None = None,
    id: Column = "id",  # noqa: A002 - what it is
    by: Column | None = None,
    into: str = "drift",
    drifts: Drifts | None = None,
    expire: Duration | None = None,
    capacity: int = 100_000,
    pass_labels: bool = False,
) -> Operator[Any, Any]:
    """Watch numbers, or how wrong predictions are, for a change of what they are drawn from.

    Marble:
        --1--1--9--9--1--|
        detect_drift(detector)
        --1--1--9--9'-1--|    9' says that a drift was seen

    Without `loss` the column has the numbers, such as a feature or a score. With it the column has predictions, and what is
    watched is `loss(prediction, truth)` when labels come, such as `lambda p, y: p != y` for `DDM`; the next element of the key says
    whether one was seen since the element before it.

    Demand: n elements for n; labels beside are asked for first, up to 1024 at a time, while the reader waits.
    Buffers: for each key a detector, bounded as it says; with `loss` at most `capacity` predictions that wait for their
        labels, and as many ids that had theirs.
    Emits: the elements, with a column of booleans beside their own. A batch stays one; other mappings become rows. A `Label`
        goes on if there is no loss, else it comes to nothing: it is heard.
    Completes: with upstream, whether or not the flow of labels has ended.
    Fails: with upstream; when an element has no such number, or an infinite one; what `loss` raises. A missing number
        (None, NaN) is not looked at. A flow of labels that fails is logged: nothing more is seen.
    Cancels: upstream and labels, at once.
    Cost: in batches about 2 microseconds an element with `DDM` and `PageHinkley`, 4 with `ADWIN`, 20 with `KSWIN`.

    Args:
        detector: of `rxml.evaluation.drift`: `ADWIN()`, `PageHinkley()`, `KSWIN()`, `DDM()`, or `RiverDetector(name)`. Each key
            begins with a copy.
        column: the numbers, or with `loss` the predictions.
        loss: how wrong a prediction is; None: the column has the numbers.
        labels: with `loss`, a flow of `Label`, of pairs of id and value, or of rows with both. None: labels are among the elements.
        id: the id of an element, by which its label finds it: a text or a whole number; nobody asks without `loss`.
        by: the key: each is watched by itself. None: that of `key_by`, or all belong together.
        into: the name of the new column.
        drifts: `rxml.learning.Drifts()`, told of each drift.
        expire: seconds of event time, or a timedelta, after which a label is no longer waited for. None: until there
            are `capacity` newer ones.
        capacity: predictions that may wait for their labels, >= 1.
        pass_labels: labels among the elements go on, for what hears them further on; without `loss` they do so anyway.

    Raises:
        ValueError: a number out of its range, or labels without a loss.
        PipelineError: `labels` is no flow, or `expire` is given and there is no event time upstream.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.evaluation.drift import PageHinkley
        >>> from rxml.learning import Drifts
        >>> rows = rxml.from_iterable({"value": 0.0 if i < 100 else 1.0} for i in range(200))
        >>> drifts = Drifts()
        >>> watched = rows.pipe(ops.detect_drift(PageHinkley(threshold=5), drifts=drifts))
        >>> [i for i, row in enumerate(asyncio.run(watched.to_list())) if row["drift"]]
        [105]
        >>> drifts.recent
        (Drift(key=None, number=106, value=1.0),)
    """
    if loss is None and labels is not None:
        raise ValueError("detect_drift: without a loss there are no labels to be heard")
    waits = waiting("detect_drift", by, expire, capacity)

    def kernel(source: Flowable[Any]) -> Callable[[], Drifting]:
        at = waits.where(source)
        return lambda: Drifting(
            at,
            detector,
            column,
            loss,
            ids=id,
            into=into,
            drifts=drifts,
            waiting=waits.anything(),
        )

    name = label("detect_drift", type(detector).__name__)
    if loss is None:
        return one_for_each(name, kernel)
    return hearing(name, kernel, labels, pass_labels=pass_labels)
