"""Operators that learn in the stream: from what predictions came to, and for backtests that are honest about when that was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.errors import PipelineError
from rxml.eventtime.event_time import event_time_of
from rxml.eventtime.instants import nanoseconds
from rxml.eventtime.keyed.keyed_kernel import Where
from rxml.flow.check import require_count
from rxml.flow.kinds import fold, label, placed
from rxml.learning.delaying.holding import one_for_each
from rxml.learning.delaying.kernel import Delaying
from rxml.learning.featuring.kernel import Featuring
from rxml.learning.hearing import hearing
from rxml.learning.online.kernel import Learning
from rxml.learning.online.model import OnlineModel
from rxml.learning.waiting import waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.eventtime.reading import Column
    from rxml.features import Features
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration


def delayed_labels(
    delay: Duration,
    target: str = "y",
    *,
    id: Column = "id",  # noqa: A002 - what it is
    capacity: int = 100_000,
) -> Operator[Any, Any]:
    """Make of labelled rows what a stream would have brought: each without its label first, and that when it was known.

    Marble:
        --1a--2b--3c--4d--|        what happened at 1 has the label a, and so on
        delayed_labels(2)
        --1---2---a3--b4--(cd)|    where a, b, c and d are labels

    What learns, calibrates or evaluates behind it has at each element exactly the labels that it would have had: nothing of
    tomorrow is known today (the delayed progressive validation of River). A label comes as soon as event time, which is the
    latest that any element or watermark has told of, is `delay` behind its element, and before the element that told of it.

    Demand: n elements for n; labels come beside that.
    Buffers: at most `capacity` labels that are not yet due, about 200 bytes each.
    Emits: rows without the column `target`, and a `Label` for each, the earliest due first. A batch in which no label becomes
        due stays one.
    Completes: with upstream, when the labels that are left have come.
    Fails: with upstream; when an element has no such target, id or time; with a BufferOverflowError when more than `capacity`
        labels wait, since a backtest that leaves out some would not be honest.
    Cancels: upstream, at once; labels that wait are dropped.
    Cost: about 5 microseconds an element; 10 if it is of a batch that becomes rows.

    Args:
        delay: seconds of event time, or a timedelta, from an element to its label, >= 0. With 0 the label follows its element.
        target: the column with the label.
        id: the id of an element, which its label has, too: a text or a whole number, another one for each.
        capacity: labels that may wait, >= 1.

    Raises:
        TypeError: no duration.
        ValueError: a negative delay, or no capacity.
        PipelineError: there is no event time upstream.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> rows = rxml.of(*({"id": i, "at": i, "y": i * i} for i in range(3)))
        >>> timed = rows.pipe(ops.with_event_time("at", unit="s"), ops.delayed_labels(1))
        >>> [getattr(x, "value", "?") for x in asyncio.run(timed.to_list())]
        ['?', 0, '?', 1, '?', 4]
    """
    span = nanoseconds(delay, "delayed_labels(delay)")
    most = require_count("delayed_labels(capacity)", capacity, 1)

    def behind(source: Flowable[Any]) -> Operator[Any, Any]:
        event_time = event_time_of("delayed_labels", source)
        return fold(
            label("delayed_labels", delay, target),
            lambda: Delaying(event_time, span, target=target, ids=id, capacity=most),
            capacity=most,
            holds=True,
        )

    return placed("delayed_labels", behind)


def learn(  # noqa: PLR0913 - each is a thing of its own that one may say of learning
    model: OnlineModel,
    *,
    labels: Flowable[Any] | None = None,
    id: Column = "id",  # noqa: A002 - what it is
    by: Column | None = None,
    into: str | None = None,
    mini_batch: int = 1,
    expire: Duration | None = None,
    capacity: int = 10_000,
    pass_labels: bool = False,
) -> Operator[Any, Any]:
    """Predict each element with what is known, and learn when it becomes known what the element came to.

    Marble:
        --1-----2--x1--3-----|   where x1 is the label of 1
        learn(model)
        --1'----2'-----3'----|   1' has a prediction; that of 3' has learnt from x1

    Demand: n elements for n; labels beside are asked for first, up to 1024 at a time, while the reader waits.
    Buffers: at most `capacity` elements' inputs that wait for their labels, and as many ids that had theirs; for each key
        a copy of the model, and up to `mini_batch` rows.
    Emits: the elements, with the columns that the model gives beside their own, such as `value`. A batch stays one;
        other mappings become rows. A `Label` comes to nothing: it is heard.
    Completes: with upstream, whether or not the flow of labels has ended.
    Fails: with upstream; when an element has no such inputs, id, key or time; when the model raises for a label among the
        elements. What a label has been taken for is not learned from again. From a flow beside, what is no label, or one that
        is of no use, goes to the dead letters of the supervisor, or is logged and counts as dropped. If that flow fails it is
        logged: nothing more is learned.
    Cancels: upstream and labels, at once.
    Cost: that of the model, called once for the elements of a chunk and once for each `mini_batch` labels; beside that about 3
        microseconds an element, 1 in batches, and 30 a label.

    A prediction never knows its own label: it is made first, and learning is from exactly the inputs that were predicted,
    however late the label comes, and once. Each run begins with a copy of the model. So a backtest behind
    `delayed_labels` and a live stream learn alike, whatever the sizes of chunks.

    Args:
        model: a `rxml.learning.OnlineModel`: `RiverOnline(...)`, `LastValue()`, `RunningMean()`, `RecursiveLeastSquares(...)`.
        labels: a flow of `Label`, of pairs of id and value, or of rows with both. None: labels are among the elements.
        id: the id of an element, by which its label finds it: a text or a whole number.
        by: the key: each has a model of its own. None: that of `key_by`, or one for all.
        into: the name of the column of the model's first output; None: as the model calls it.
        mini_batch: labels of a key that are learned from at once, >= 1. Until so many have come none of them counts.
            A label that the model fails for is refused alone: the others are learned in halves.
        expire: seconds of event time, or a timedelta, after which a label is no longer waited for. None: until there
            are `capacity` newer ones.
        capacity: elements that may wait for their labels, >= 1.
        pass_labels: labels among the elements go on, for what hears them further on.

    Raises:
        ValueError: a number out of its range.
        PipelineError: no such model, `labels` is no flow, or `expire` is given and there is no event time upstream.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.learning import Label, RunningMean
        >>> seen = rxml.of({"id": 1}, Label(1, 10.0), {"id": 2}, Label(2, 20.0), {"id": 3})
        >>> rows = asyncio.run(seen.pipe(ops.learn(RunningMean())).to_list())
        >>> [row["value"] for row in rows]
        [nan, 10.0, 15.0]
    """
    _require_model(model)
    waits = waiting("learn", by, expire, capacity)
    each = require_count("learn(mini_batch)", mini_batch, 1)

    def kernel(source: Flowable[Any]) -> Callable[[], Learning]:
        at = waits.where(source)
        return lambda: Learning(
            at,
            model,
            ids=id,
            into=into,
            mini_batch=each,
            waiting=waits.anything(),
        )

    return hearing(label("learn", type(model).__name__), kernel, labels, pass_labels=pass_labels)


def _require_model(model: object) -> None:
    if not isinstance(model, OnlineModel):
        raise PipelineError(
            f"learn wants a model that has inputs, predict, learn, copied, snapshot and restore; got {type(model).__name__}"
        )


def features(  # noqa: PLR0913 - each is a thing of its own that one may say of features
    features: Features,
    *,
    by: Column | None = None,
    learn: bool = True,
    late: bool = False,
    labels: Flowable[Any] | None = None,
    id: Column = "id",  # noqa: A002 - what it is
    distributions: bool = True,
    expire: Duration | None = None,
    capacity: int = 10_000,
    pass_labels: bool = False,
) -> Operator[Any, Any]:
    """Make features of each element, of what the elements before it have taught; then learn from it, too.

    Marble:
        --1-----2-----4-------|
        features(Features(scaled=StandardScaler("x")))
        --1'----2'----4'------|    2' is scaled by what 1 was, 4' by 1 and 2

    Emission before learning: a feature never knows its own row, so training on what comes out here and serving it are the
    same. Where features encode a target that comes later, say `late`: it is learned when its `Label` comes, of exactly the
    element that it belongs to, and a backtest behind `delayed_labels` sees what a live stream would have.

    Demand: n elements for n; labels beside are asked for first, up to 1024 at a time, while the reader waits.
    Buffers: for each key the states of the transforms; if targets come late, at most `capacity` elements' columns that wait for
        them, and as many ids that had theirs.
    Emits: the elements, with the features beside their own columns. A batch stays one; other mappings become rows. A `Label`
        comes to nothing: it is heard.
    Completes: with upstream, whether or not the flow of labels has ended.
    Fails: with upstream; when an element lacks a column, or has something else there; nothing is learned of it then.
        A flow of labels that fails is logged: nothing more is learned of targets.
    Cancels: upstream and labels, at once.
    Cost: that of the transforms; with one that scales about 1 microsecond a row in batches, 4 for rows; about 100 a chunk.

    Args:
        features: `rxml.features.Features(...)`. Each run begins with a copy.
        by: the key: each has states of its own, which are forgotten when the key is evicted. None: that of `key_by`, or one
            for all, which goes on from what was learned before.
        learn: False: nothing is learned, what was learned before in slot 0 makes the features; then there are no keys.
        late: targets come as labels, not in the elements.
        labels: if `late`, a flow of `Label`, of pairs of id and value, or of rows with both. None: labels are among the elements.
        id: the id of an element, by which its label finds it: a text or a whole number; nobody asks unless `late`.
        distributions: what is imputed becomes a `Normal`, a fact where it was there; what is target encoded a `Normal` or
            `Beta`, in the column that has the transform's name. False: the parameters, as plain columns.
        expire: seconds of event time, or a timedelta, after which a label is no longer waited for. None: until there
            are `capacity` newer ones.
        capacity: elements that may wait for their labels, >= 1.
        pass_labels: labels among the elements go on, for what hears them further on; if not `late`, they do so anyway.

    Raises:
        ValueError: a number out of its range; labels or `late` where nothing learns of targets; keys where nothing is learned.
        PipelineError: `labels` is no flow, or `expire` is given and there is no event time upstream.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.features import Features, Imputer
        >>> made = ops.features(Features(filled=Imputer("x")))
        >>> rows = asyncio.run(rxml.of({"x": 1.0}, {"x": 3.0}, {"x": None}).pipe(made).to_list())
        >>> [(float(row["filled"].mean()), float(row["filled"].var())) for row in rows]
        [(1.0, 0.0), (3.0, 0.0), (2.0, 3.0)]
    """
    hears = labels is not None or late
    _require_features(features, learn=learn, hears=hears, keyed=by is not None)
    waits = waiting("features", by, expire, capacity)

    def kernel(source: Flowable[Any]) -> Callable[[], Featuring]:
        at = waits.where(source) if learn else Where(None, None)
        return lambda: Featuring(
            at,
            features,
            ids=id,
            late=hears,
            learning=learn,
            distributions=distributions,
            waiting=waits.anything(),
        )

    name = label("features", *features.transforms)
    if not hears:
        return one_for_each(name, kernel)
    return hearing(name, kernel, labels, pass_labels=pass_labels)


def _require_features(features: Features, *, learn: bool, hears: bool, keyed: bool) -> None:
    if hears and not (learn and features.targets):
        raise ValueError(
            "features: nothing here learns of targets, so there are no labels to be heard"
        )
    if keyed and not learn:
        raise ValueError(
            "features(learn=False) makes them of what was learned in slot 0: it has no keys"
        )
