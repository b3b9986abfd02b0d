"""Operators that make one estimate of several: predictions of models, and readings of sensors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from rxml.batch.schema import require_name
from rxml.errors import PipelineError
from rxml.eventtime.reading import label_of
from rxml.flow.check import require_callable
from rxml.flow.kinds import fold, label, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.timing.duration import seconds_of
from rxml.flow.workers.map_async import MapAsyncStage
from rxml.learning.hearing import hearing
from rxml.learning.pooling.fixed import Fixed
from rxml.learning.pooling.kernel import Combining, Pooling, Teaching
from rxml.learning.pooling.losses import NAMES
from rxml.learning.pooling.models import Asking
from rxml.learning.waiting import waiting
from rxml.uncertain.pooling import AdaHedge, FixedShare, Hedge, ModelAveraging

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.reading import Column
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration
    from rxml.learning.pooling.handle import Combination
    from rxml.learning.pooling.losses import Loss
    from rxml.uncertain.pooling import Weights

Rule = Literal["fixed_share", "hedge", "bma", "stacking", "fixed"]
Pool = Literal["linear_pool", "log_pool", "vincent", "ivw", "hksj", "product"]

_POOLS: Final = ("linear_pool", "log_pool", "vincent", "ivw", "hksj", "product")
_AT_ONCE: Final = 16


def combine(  # noqa: PLR0913 - each is a thing of its own that one may say of a pool
    members: Sequence[Column] | Mapping[str, Any],
    rule: Rule | Pool | Callable[[int], Weights] = "fixed_share",
    *,
    labels: Flowable[Any] | None = None,
    loss: Loss | None = None,
    id: Column = "id",  # noqa: A002 - what it is
    by: Column | None = None,
    pool: Pool | None = None,
    weights: Sequence[float] | None = None,
    share: float = 0.001,
    scale: float = 1.0,
    within: Duration | None = None,
    into: str = "value",
    weights_into: str | None = None,
    expire: Duration | None = None,
    capacity: int = 100_000,
    pass_labels: bool = False,
    combination: Combination | None = None,
) -> Operator[Any, Any]:
    """Pool several predictions of one quantity to one distribution, by weights that follow who is right, for each key.

    Marble:
        --{a:1,b:9}--x1--{a:2,b:8}--{a:3}---|   where x1 is the label of the first, near to a
        combine(["a", "b"])
        --{..value:M}----{..value:M'}--{..value:M"}--|   M' leans to a; b sleeps in the last one

    Demand: n elements for n; labels beside are asked for first, up to 1024 at a time, while the reader waits. With `within`,
        as many elements as there is room for, as `map_async` does.
    Buffers: at most `capacity` predictions that wait for their labels, about 100 bytes each and 8 for each number that members
        say; as many ids that had theirs; for each key a weight a member. With `within`, 16 elements that are asked about.
    Emits: the elements, with a column beside their own: for numbers and normals a `Mixture`, whose `parts()` are the variance
        within members (noise) and between them (ignorance), or as `pool` says. A batch stays one; other mappings become rows.
        A `Label` comes to nothing: it is heard; where nothing is learned, it goes on as it is.
    Completes: with upstream, whether or not the flow of labels has ended.
    Fails: with upstream; when an element has no id, key or time, the first has not got the column of a member, members say
        what does not go together or has no such loss, none says anything before it is known what they say, or a label among
        the elements is of no use. From a flow beside such a label, or what is none, goes to the dead letters of the supervisor,
        or is logged and counts as dropped; if that flow fails it is logged: nothing more is learnt.
    Cancels: upstream, labels and models that are asked, at once.
    Cost: for batches about 3 microseconds a row and 2 a label of many keys, 100 a label of one; for rows about 20. Where
        elements and labels alternate one by one, about half a millisecond for both.

    A member that has None, NaN or infinite variance is asleep: late, failed, or without an opinion; so is one whose column an
    element has not got, if the first element had it (a name that is misspelt would sleep for ever). It has no weight then, and
    its place among the others stays what it was (Freund, Schapire, Singer and Warmuth, 1997). If all sleep, the pool is as good
    as unknown.

    Weights, by `rule`: `fixed_share` (Herbster and Warmuth, 1998) finds who is best now, and is the one to begin with; `hedge`
    (Freund and Schapire, 1997) comes near the best member of all time; `bma` averages by likelihood, with forgetting of 0.99
    (Raftery et al., 2010); `stacking` looks for the best mixture, not the best member, by the gradients of the pool's loss
    (AdaHedge; de Rooij et al., 2014). Where no labels come: the name of a pool, by weights that stay.

    A label teaches by the weights that were in use for its element, however late it comes, and once. What is never
    labelled is counted as for `calibrate`.

    Args:
        members: the columns of the predictions; or by names of your own, a column or a function of the element each.
        rule: see above; or a function from the number of members to `Weights`; or one of `pool`.
        labels: a flow of `Label`, of pairs of id and value, or of rows with both. None: labels are among the elements.
        loss: by which members are told apart: "crps", "log", "squared", "pinball", or a function from truths, shape (n,), and
            a column of n predictions to n losses. None: "crps" for numbers and quantiles, "log" for classes and `bma`.
        id: the id of an element, by which its label finds it: a text or a whole number.
        by: the key: each has weights of its own. None: that of `key_by`, or one for all.
        pool: "linear_pool" (one of them is right) or "log_pool" (they share what they know), "vincent" (quantiles are averaged;
            the one for `Quantiles`); without weights "ivw" (inverse variance), "hksj" (random effects), "product".
        weights: of members, for a rule that learns nothing; None: all alike.
        share: for `fixed_share`, how often the best member changes, as changes a label; 0 to below 1.
        scale: what losses are divided by, > 0: about as much as a bad one is worse than a good one. Not for the log loss.
        within: seconds, or a timedelta. Given, the members are models: coroutine functions of an element, by name, which are
            all asked about each element, and sleep where they are late or fail; their answers come to columns of their names.
        into: the name of the new column.
        weights_into: that of a column of the weights in use, shape (K,); None: there is none.
        expire: seconds of event time, or a timedelta, after which a label is no longer waited for.
        capacity: predictions that may wait for their labels, >= 1.
        pass_labels: labels that are among the elements go on when they were heard, for another operator that hears them.
        combination: told of weights and losses, as labels come; see `rxml.learning.Combination`.

    Raises:
        ValueError: a rule, pool, loss or number out of its range, or what does not go with the rule.
        PipelineError: no members; `labels` is no flow, or beside and to be passed on; or `expire` is given and there is no event time upstream.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.learning import Label
        >>> seen = [[{"id": i, "a": 1.0, "b": 9.0}, Label(i, 1.0)] for i in range(20)]
        >>> flow = rxml.from_iterable(x for pair in seen for x in pair)
        >>> rows = asyncio.run(flow.pipe(ops.combine(["a", "b"], share=0.01)).to_list())
        >>> [round(float(row["value"].mean()), 2) for row in (rows[0], rows[1], rows[-1])]
        [5.0, 1.04, 1.04]
    """
    named = _named(members)
    by_pool: Any = rule if rule in _POOLS else pool
    if by_pool is not None and by_pool not in _POOLS:
        raise ValueError(f"combine(pool) is one of {', '.join(_POOLS)}; got {by_pool!r}")
    at: dict[str, Any] = named if within is None else {name: name for name in named}
    pooling = Pooling(at, by_pool, _name(into), weights_into)
    ask = _asking(named, within)
    if rule == "fixed" or rule in _POOLS:
        given = {"labels": labels, "loss": loss, "combination": combination, "expire": expire}
        given |= {"pass_labels": pass_labels or None}
        _refuse(rule, given | {"pool": pool if rule in _POOLS else None})
        fixed = partial(Fixed, pooling, _weights(weights, len(named)))
        return ask(fold(label("combine", rule), fixed, cardinality=Cardinality.ONE, depends=True))
    _refuse(rule, {"weights": weights})
    teaching = _teaching(rule, loss, share, scale)
    if teaching.weights(len(named)).models != len(named):
        raise ValueError(f"combine wants a rule of {len(named)} members, as many as there are")
    waits = waiting("combine", by, expire, capacity)

    def kernel(source: Flowable[Any]) -> Callable[[], Combining]:
        where = waits.where(source)
        return lambda: Combining(
            where,
            pooling,
            teaching,
            ids=id,
            ledger=waits.ledger,
            combination=combination,
        )

    return ask(hearing(label("combine", teaching.name), kernel, labels, pass_labels=pass_labels))


def _named(members: Any) -> dict[str, Any]:
    named = hasattr(members, "keys")
    given: dict[str, Any] = dict(members if named else {label_of(each): each for each in members})
    if len(given) < max(len(members), 1):
        raise PipelineError(f"combine wants members, each of another name; got {members!r}")
    for name, each in given.items():
        if not isinstance(each, str):
            require_callable(f"combine: the member {name!r}", each, "gives a prediction")
    return given


def _name(into: str) -> str:
    require_name(into)
    return into


def _weights(weights: Sequence[float] | None, members: int) -> NDArray[np.float64]:
    given = np.ones(members) if weights is None else np.array(weights, np.float64)
    fine = given.shape == (members,) and bool(((given >= 0) & (given < np.inf)).all())
    if not fine or not given.any():
        raise ValueError(
            f"combine(weights) wants {members} numbers >= 0, not all 0; got {weights!r}"
        )
    return given


def _refuse(rule: object, given: Mapping[str, object]) -> None:
    name = next((name for name, value in given.items() if value is not None), None)
    if name is not None:
        learns = "learns its weights" if name == "weights" else "learns nothing"
        raise ValueError(f"combine({rule!r}) {learns}: {name}= has no meaning there")


def _teaching(
    rule: str | Callable[[int], Weights], loss: Any, share: float, scale: float
) -> Teaching:
    if loss is not None and not callable(loss) and loss not in NAMES:
        raise ValueError(f"combine(loss) is one of {', '.join(NAMES)}, or a function; got {loss!r}")
    if not 0 < scale < np.inf:
        raise ValueError(f"combine(scale) wants a number > 0, got {scale!r}")
    if callable(rule):
        name = getattr(rule, "__name__", type(rule).__name__)
        return Teaching(name, rule, loss, scale)
    made: dict[str, Callable[[], Teaching]] = {
        "fixed_share": lambda: Teaching(rule, lambda k: FixedShare(k, share=share), loss, scale),
        "hedge": lambda: Teaching(rule, Hedge, loss, scale, bounded=True),
        "bma": lambda: Teaching(rule, ModelAveraging, loss or "log"),
        "stacking": lambda: Teaching(rule, AdaHedge, loss, gradient=True),
    }
    if rule not in made:
        known = ", ".join([*made, "fixed", *_POOLS])
        raise ValueError(f"combine(rule) is one of {known}, or a function; got {rule!r}")
    _require_together(rule, loss)
    return made[rule]()


def _require_together(rule: str, loss: Any) -> None:
    if (rule == "bma" and loss not in (None, "log")) or (rule == "hedge" and loss == "log"):
        wants = "the log loss" if rule == "bma" else "a loss that has an end"
        raise ValueError(f"combine({rule!r}) wants {wants}, got {loss!r}")


def _asking(
    models: Mapping[str, Any], within: Duration | None
) -> Callable[[Operator[Any, Any]], Operator[Any, Any]]:
    """Makes an operator on answers one on elements, of which all models are asked first."""
    if within is None:
        return lambda operator: operator
    seconds = seconds_of(within, "combine(within)")
    for name, model in models.items():
        require_callable(f"combine: the member {name!r}", model, "answers an element")
    asking = Asking(models, seconds)

    def open_(env: Env, node: Node) -> MapAsyncStage:
        return MapAsyncStage(env, node, asking, concurrency=_AT_ONCE, ordered=True, key=None)

    ask = stage(
        label("ask", ", ".join(models)),
        open_,
        cardinality=Cardinality.ONE,
        capacity=_AT_ONCE,
        passes=True,
        checkpointing=Checkpointing.PASSES,
    )
    return lambda operator: lambda source: operator(ask(source))
