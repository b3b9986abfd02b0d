"""Operators that tell how good predictions are before labels have come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.evaluation.estimated import Quality
from rxml.flow.kinds import label
from rxml.learning.hearing import hearing
from rxml.learning.quality.kernel import Estimating
from rxml.learning.waiting import waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.eventtime.reading import Column
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration
    from rxml.learning.quality.handle import EstimatedQuality


def estimate_quality(  # noqa: PLR0913 - each is a thing of its own that one may say of predictions
    quality: EstimatedQuality,
    *,
    prediction: Column = "value",
    labels: Flowable[Any] | None = None,
    id: Column = "id",  # noqa: A002 - what it is
    by: Column | None = None,
    threshold: float = 0.5,
    classes: Sequence[Any] | None = None,
    expire: Duration | None = None,
    capacity: int = 100_000,
    pass_labels: bool = False,
) -> Operator[Any, Any]:
    """Tell how accurate predictions are: by their own probabilities at first, and as measured when labels come.

    Marble:
        --{p:.9}--{p:.7}--x1--|      where x1 is the label of the first: it was wrong
        estimate_quality(quality, prediction="p")
        --{p:.9}--{p:.7}------|      `quality.now`: .9, then .8, then .35 of which half is measured

    Demand: n elements for n; labels beside are asked for first, up to 1024 at a time, while the reader waits.
    Buffers: at most `capacity` predictions that wait for their labels, about 100 bytes each; as many ids that had theirs; for
        each key 16 bytes for each prediction of the window of `quality`, 8 (k + 1) more among k classes if it tells F1.
    Emits: the elements, as they are. A `Label` comes to nothing: it is heard.
    Completes: with upstream, whether or not the flow of labels has ended.
    Fails: with upstream; when an element has no such prediction, id, key or time, or a label among the elements is none of the
        classes. From a flow beside such a label is logged and left out, and if that flow fails it is logged.
    Cancels: upstream and labels, at once.
    Cost: for batches about 4 microseconds a row and 8 a label, and for each report about 3 milliseconds for a window of 1000.

    The accuracy of predictions without labels is the mean probability of what is predicted, if probabilities are calibrated
    (see `calibrate_probability`): how many will have been right is a Poisson binomial count. As labels come, what is known
    takes the place of what is estimated, and also says by how much probabilities were off: `QualityReport.rectified`. With
    `EstimatedQuality(f1=True)` reports tell F1 too, of an event or as the mean over classes.

    Args:
        quality: told of it; see `rxml.learning.EstimatedQuality`.
        prediction: the column of probabilities: of an event (numbers, `Bernoulli`, `Beta`), or of classes (`Categorical`, or
            shape (k,)).
        labels: a flow of `Label`, of pairs of id and value, or of rows with both. None: labels are among the elements.
        id: the id of an element, by which its label finds it: a text or a whole number.
        by: the key: each has a window of its own. None: that of `key_by`, or one for all.
        threshold: from what probability on an event is predicted, within [0, 1].
        classes: the labels in the order of the probabilities, for an event that of no first; None: those of the column, or
            0 to k - 1.
        expire: seconds of event time, or a timedelta, after which a label is no longer waited for. None: until there
            are `capacity` newer ones.
        capacity: predictions that may wait for their labels, >= 1.
        pass_labels: labels that are among the elements go on when they were heard, for another operator that hears them.

    Raises:
        ValueError: a number out of its range.
        PipelineError: `labels` is no flow, or beside and to be passed on; or `expire` is given and there is no event time upstream.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.learning import EstimatedQuality, Label
        >>> quality = EstimatedQuality(every=1)
        >>> flow = rxml.of({"id": 1, "p": 0.9}, {"id": 2, "p": 0.7}, Label(1, 0))
        >>> _ = asyncio.run(flow.pipe(ops.estimate_quality(quality, prediction="p")).to_list())
        >>> quality.now.value, quality.now.measured
        (0.35, 0.5)
    """
    Quality(1, threshold=threshold)  # says at once what is wrong
    waits = waiting("estimate_quality", by, expire, capacity)

    def kernel(source: Flowable[Any]) -> Callable[[], Estimating]:
        where = waits.where(source)
        return lambda: Estimating(
            where,
            prediction=prediction,
            ids=id,
            threshold=threshold,
            classes=classes,
            ledger=waits.ledger,
            quality=quality,
        )

    return hearing(label("estimate_quality", prediction), kernel, labels, pass_labels=pass_labels)
