"""Operators that do by how sure an answer is: have it made better, or leave it out."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Final

from rxml.batch.schema import require_name
from rxml.errors import PipelineError
from rxml.flow.check import require_count
from rxml.flow.flowable import Flowable
from rxml.flow.kinds import label, placed, stage
from rxml.flow.matched import Matched
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.traits import trait
from rxml.learning.hearing import hearing
from rxml.learning.routing.abstaining import Abstaining
from rxml.learning.routing.sureness import marking
from rxml.learning.waiting import waiting
from rxml.models.model import Model, Release
from rxml.models.scoring.places import auto
from rxml.models.scoring.routing_stage import RoutingStage
from rxml.models.scoring.settings import Settings
from rxml.uncertain.calibration.selective_keys import SelectiveRisks

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch import Batch
    from rxml.eventtime.reading import Column
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration
    from rxml.models.model import Edition
    from rxml.models.scoring.place import Place

_BYTES: Final = 64 * 2**20
_BATCH: Final = 0.02
_PATIENCE: Final = 0.1
"""Seconds: as for `score`."""


def escalate(  # noqa: PLR0913 - each is a thing of its own that one may say of the bigger model and its use
    to: Model | Flowable[Edition],
    *,
    when: str | Callable[[Batch], Any],
    above: float | None = None,
    budget: float = 0.2,
    burst: int = 10,
    into: str | None = None,
    name: str | None = None,
    on: Place | None = None,
    ordered: bool | None = None,
    window: int = 500,
    max_batch: int = 1024,
    capacity: int = 4096,
    max_bytes: int = _BYTES,
) -> Operator[Any, Any]:
    """Have a bigger model answer where the answer so far is not sure enough, for a share of the elements.

    Marble:
        --{x:1,value:3,sd:.1}---{x:2,value:5,sd:9}---------|
        escalate(bigger, when="sd")
        --{..value:3,rung:primary}---{..value:4,rung:escalated}--|

    The least sure fifth of cases holds most of the errors: on handwritten digits a logistic regression alone is right for
    95 % of them, a support vector machine for 99 %, and both of them so for 99 %, at a fifth of the cost.

    Demand: as many elements as there is room for, whether or not the reader asks, after its first request.
    Buffers: at most `capacity` elements and `max_bytes`: waiting, being scored, or answered and not taken; a chunk on its
        way there; `window` numbers.
    Emits: each element as a row. If the bigger model has answered, its outputs stand in the columns of their names (and
        `model`, `version` and `digest`, if an element has these), and `rung` is "escalated"; else `rung` is as it was, or
        "primary". `reason` tells why an element that was to be escalated was not: the bigger model failed, or would be
        late. In order; in a service, where answers find those who asked by contexts, as soon as they are there.
    Completes: with upstream, after the last element.
    Fails: with upstream; when an element is no mapping, or does not say how unsure it is, or the value of the bigger
        model has no column; with what kept the model from being loaded. That it fails for a row costs no answer.
    Cancels: upstream and what waits, at once; returns when the batches under way have ended.
    Cost: about 20 microseconds an element beside the model.

    Never more than `budget` of the elements so far go, whatever comes: a token bucket that elements fill. Which go depends
    on the elements alone, not on time or load. Other columns of an element, such as an interval, are still of the first
    answer: calibrate behind this, `by="rung"`.

    Args:
        to: the bigger model; or a flow of editions, as for `score`. Elements have its inputs.
        when: how unsure an answer is: the name of a column, or a function of a batch to one. Booleans say which go. Numbers
            say how unsure; of an `Interval` or `Quantiles` it is the width, of other distributions the standard deviation,
            of class probabilities what the likeliest lacks of 1; of a set of classes whether it is not exactly one. NaN is
            infinitely unsure.
        above: numbers above this are too unsure; None: those of the least sure `budget` of the latest elements.
        budget: share of elements that may go, above 0 and at most 1.
        burst: elements that may go one behind the other, >= 1.
        into: the column that takes the value of the bigger model; None: that of the same name.
        name: of the bigger model in answers; its own unless told otherwise.
        on: where it runs; see `score`.
        ordered: elements leave in their order; None: save in a service.
        window: latest elements that are compared, >= 1.
        max_batch: rows that it scores at a time, at most.
        capacity: elements that are held, at most.
        max_bytes: that they may hold; one more element may overstep it.

    Raises:
        PipelineError: `to` is no model.
        ValueError: a number out of its range.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import models, operators as ops
        >>> from rxml.batch import Schema
        >>> exact = models.from_function(lambda rows: rows["x"] ** 2, inputs=Schema.of(x="float64"))
        >>> rows = [{"x": float(x), "value": 4.0, "sd": abs(x - 2.0)} for x in range(5)]
        >>> flow = rxml.from_iterable(rows).pipe(
        ...     ops.escalate(exact, when="sd", above=1.5, budget=1)
        ... )
        >>> [(row["value"], row["rung"]) for row in asyncio.run(flow.to_list())][2:]
        [(4.0, 'primary'), (4.0, 'primary'), (16.0, 'escalated')]
    """
    _require_model(to)
    counts = {"max_batch": max_batch, "capacity": capacity, "max_bytes": max_bytes}
    for each, given in counts.items():
        require_count(f"escalate({each}=)", given, 1)
    marked = marking(
        "escalate",
        when,
        above=above,
        budget=budget,
        burst=burst,
        window=window,
        capacity=capacity,
    )
    shown = label("escalate", name or to)

    def made(flow: Flowable[Any]) -> Operator[Any, Any]:
        in_order = trait(flow, Matched) is None if ordered is None else ordered
        settings = Settings(
            model=to,
            release=None if name is None else Release(name, "", getattr(to, "digest", "")),
            place=auto() if on is None else on,
            ordered=in_order,
            budget=_BATCH,
            most=max_batch,
            capacity=capacity,
            max_bytes=max_bytes,
            patience=inf if in_order else _PATIENCE,
            overlap=True,
            on_swap=None,
        )

        def open_(env: Env, node: Node) -> RoutingStage:
            return RoutingStage(env, node, settings, into)

        routed: Operator[Any, Any] = stage(
            shown,
            open_,
            cardinality=Cardinality.ONE,
            capacity=capacity,
            max_bytes=max_bytes,
            checkpointing=Checkpointing.PASSES,
        )
        return lambda source: routed(marked(source))

    return placed(shown, made)


def _require_model(to: object) -> None:
    if not isinstance(to, Flowable | Model):
        text = f"escalate wants a Model or a flow of editions, got {type(to).__name__}"
        raise PipelineError(text)


def abstain(  # noqa: PLR0913 - each is a thing of its own that one may say of a promise
    risk: float = 0.01,
    delta: float = 0.05,
    *,
    labels: Flowable[Any] | None = None,
    pass_labels: bool = False,
    prediction: Column = "value",
    certainty: Column | None = None,
    id: Column = "id",  # noqa: A002 - what it is
    by: Column | None = None,
    into: str = "abstained",
    keep: bool = True,
    window: int = 10_000,
    expire: Duration | None = None,
    capacity: int = 100_000,
) -> Operator[Any, Any]:
    """Mark the answers that are not sure enough, so that of the others no more than a given share is wrong.

    Marble:
        --a.9----b.6--x1--c.7----|   where x1 says that 1 was right
        abstain()
        --a.9----b!---------c.7----|   b! is marked

    Demand: n elements for n; labels beside are asked for first, up to 1024 at a time, while the reader waits.
    Buffers: at most `capacity` answers that wait for their labels, about 100 bytes each, as many ids that had theirs; for each
        key 2 kB, and `window` labels of 8 bytes.
    Emits: the elements, with a column of booleans beside their own, true where there is no answer that can be promised. A
        batch stays one; other mappings become rows. A `Label` is heard, and comes to nothing unless it is to be
        passed on.
    Completes: with upstream, whether or not the flow of labels has ended.
    Fails: with upstream; when an element has no such answer, certainty, id, key or time, or a label among the elements is
        neither a number nor a text. From a flow beside such a label is logged and left out, and if that flow fails it is logged:
        nothing more is learnt.
    Cancels: upstream and labels, at once.
    Cost: about 5 microseconds a row of a batch, and 40 a label.

    The threshold is the lowest of 140 certainties at which the share of wrong answers among those as sure is proven, by Learn
    then Test with fixed sequences from several starts that share delta (Angelopoulos et al., 2021): at each moment the
    promise holds with probability 1 - delta, if cases are exchangeable. Until enough labels have come (299 for a risk of
    .01 and a delta of .05), all is marked; for longer where even the surest are wrong nearly as often as may be. Labels
    must not depend on the mark: if only answers that were given are ever labelled, nothing is known of others.

    With keys each has a threshold of its own, and the promise holds for each by itself, as soon as it has so many labels of
    its own; without, only for all together: a small group may be wrong far more often. A label counts as for `calibrate`:
    once, and for nobody if the state of its key was given up since.

    Args:
        risk: share of the answers that are given which may be wrong, above 0 and below 1.
        delta: chance that more are wrong.
        labels: a flow of `Label`, of pairs of id and value, or of rows with both; the value is the class that was right.
            None: labels are among the elements.
        pass_labels: those among the elements go on when they were heard, to what hears them further on.
        prediction: the column of answers: classes (numbers or texts), or `Categorical`.
        certainty: the column of how sure they are, within [0, 1]. None: the probability of the likeliest class.
        id: the id of an element, by which its label finds it: a text or a whole number.
        by: the key: each has a threshold of its own. None: that of `key_by`, or one for all.
        into: the name of the new column.
        keep: answers stay where they are; False: marked ones are None, or NaN among floats.
        window: newest labels of a key that count.
        expire: seconds of event time, or a timedelta, after which a label is no longer waited for. None: until there
            are `capacity` newer ones.
        capacity: answers that may wait for their labels, >= 1.

    Raises:
        ValueError: a number out of its range; a window that is too short for the promise.
        PipelineError: `labels` is no flow, or `expire` is given and there is no event time upstream.
        TypeError: `keep` is False, and `prediction` is no name.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.learning import Label
        >>> rows = [{"id": i, "value": 1, "p": 0.9 if i % 2 else 0.6} for i in range(200)]
        >>> seen = [[row, Label(row["id"], int(row["p"] > 0.8))] for row in rows]
        >>> flow = rxml.from_iterable(x for pair in seen for x in pair)
        >>> rows = asyncio.run(flow.pipe(ops.abstain(0.1, certainty="p")).to_list())
        >>> (
        ...     [bool(row["abstained"]) for row in rows][:2],
        ...     [bool(row["abstained"]) for row in rows][-2:],
        ... )
        ([True, True], [True, False])
    """
    SelectiveRisks(risk, delta, window)  # says at once what is wrong
    require_name(into)
    if not keep and not isinstance(prediction, str):
        raise TypeError("abstain(keep=False) wants the name of a column as prediction")
    waits = waiting("abstain", by, expire, capacity)

    def kernel(source: Flowable[Any]) -> Callable[[], Abstaining]:
        place = waits.where(source)
        return lambda: Abstaining(
            place,
            SelectiveRisks(risk, delta, window),
            prediction=prediction,
            certainty=certainty,
            keep=keep,
            ids=id,
            into=into,
            ledger=waits.ledger,
        )

    return hearing(label("abstain", risk), kernel, labels, pass_labels=pass_labels)
