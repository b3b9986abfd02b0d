"""Operators that tell how good predictions are, and whether what they are of has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.eventtime.event_time import event_time_of
from rxml.eventtime.instants import nanoseconds
from rxml.eventtime.keyed.keyed_kernel import Where
from rxml.eventtime.keying import Keying, keying_of
from rxml.flow.check import require_count, require_function
from rxml.flow.kinds import label
from rxml.learning.delayed_passing import require_among
from rxml.learning.delayed_waiting import Waiting
from rxml.learning.evaluating import Evaluating
from rxml.learning.evaluating_columns import require_where
from rxml.learning.hearing import hearing

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.eventtime.reading import Column
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration
    from rxml.learning.evaluating_columns import Prediction
    from rxml.learning.evaluating_handle import Evaluation


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
    Cost: about 3 microseconds an element, and for a label as much as its metrics: 50 microseconds for two if labels come one by
        one, 2 in batches; a report about 200.

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
    span = None if expire is None else nanoseconds(expire, "evaluate(expire)")
    most = require_count("evaluate(capacity)", capacity, 1)
    require_among("evaluate", labels, passing=pass_labels)
    where = _where("evaluate", by, timed=span is not None)

    def kernel(source: Flowable[Any]) -> Callable[[], Evaluating]:
        at = where(source)
        return lambda: Evaluating(
            at,
            evaluation,
            ids=id,
            prediction=prediction,
            waiting=Waiting(most, span),
            passing=pass_labels,
        )

    return hearing(label("evaluate", ", ".join(evaluation.names)), kernel, labels)


def _where(name: str, by: Column | None, *, timed: bool) -> Callable[[Flowable[Any]], Where]:
    if by is not None and not isinstance(by, str):
        require_function(f"{name}(by)", by, "gives the key of an element")

    def where(source: Flowable[Any]) -> Where:
        keying = keying_of(source) if by is None else Keying(by, None, None, None)
        timed_too = timed or (keying is not None and keying.ttl is not None)
        return Where(keying, event_time_of(name, source) if timed_too else None)

    return where
