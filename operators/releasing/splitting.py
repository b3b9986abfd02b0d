"""Operators that part those who ask among models: by shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.errors import PipelineError
from rxml.flow.flowable import Flowable
from rxml.flow.kinds import label
from rxml.models.live.building import Scoring, of_models, require_key
from rxml.models.live.rendezvous import Rendezvous
from rxml.models.live.split import SplitStage
from rxml.models.live.stage import Parting
from rxml.models.live.weights import Weights, require_arms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rxml.eventtime.reading import Column
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription
    from rxml.models.live.routed import Routed
    from rxml.models.model import Edition, Model
    from rxml.models.scoring.place import Place
    from rxml.models.scoring.settings import Settings, Swap


def split(  # noqa: PLR0913 - each is a thing of its own that one may say of models at work
    arms: Mapping[str, Model | Flowable[Edition]],
    *,
    weights: Mapping[str, float] | Weights | Flowable[Mapping[str, float]],
    key: Column,
    seed: int = 0,
    on: Place | None = None,
    ordered: bool | None = None,
    budget: float = 0.02,
    max_batch: int = 1024,
    capacity: int = 4096,
    on_swap: Callable[[Swap], Any] | None = None,
) -> Operator[Any, Routed]:
    """Score each element by one of several models: the same id by the same one, each for its share of ids.

    Marble:
        --{id:1}{id:2}---{id:1}---|
        split({a: .., b: ..}, weights={a: 1, b: 1}, key=id)
        ----------a----b------a---|

    Demand: as many elements as there is room for, whether or not the reader asks, after its first request.
    Buffers: at most `capacity` elements (and 64 MiB): waiting, being scored, or scored and not taken.
    Emits: a `Routed` prediction for each element, which says beside the rest `arm` and `propensity`; rows of batches as rows.
        In order; in a service as soon as they are there. A batch that is one element goes to one arm whole, by its first row.
    Completes: with upstream, after the last prediction.
    Fails: as `score`: with upstream, with what a model raised for a row alone, with what kept the first version of any arm
        from being loaded; with a SchemaError for an element without an id. A supervisor can have the element left out.
    Cancels: upstream and what waits, at once; returns when the batches under way have ended.
    Cost: as `score`, and 6 to 8 microseconds an element: the hash of the id, one draw an arm, what the prediction says more.
        Each arm has its own batches; rows of batches are taken one by one.

    Which arm an id has follows from nothing but the id, the seed and the weights (weighted rendezvous hashing), the same in
    every process. When weights change from p to q, at most 2 d / (1 + d) of all ids move, d half the sum of |p - q|; where
    one weight rises beside others that stay, ids move to that arm only.

    Args:
        arms: models, or flows of editions, such as `registry.watch("price@champion")`, by name.
        weights: of the arms, >= 0; shares of their sum. A `Weights` can be set while it runs; of a flow of weights the latest
            ones hold, and the first are waited for. Those that are refused are logged, and change nothing.
        key: the id of an element, a text or a whole number: the name of a column, or a function.
        seed: 0 <= seed < 2^64; splits that are to part ids independently of each other want other seeds.
        on: see `score`.
        ordered: see `score`.
        budget: see `score`.
        max_batch: see `score`.
        capacity: see `score`.
        on_swap: see `score`; for all arms.

    Raises:
        PipelineError: no models; weights of other arms; models that do not want and give the same.
        ValueError: a number out of its range.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import models, operators as ops
        >>> from rxml.batch import Schema
        >>> def times(n):
        ...     return models.from_function(
        ...         lambda rows: n * rows["x"], inputs=Schema.of(x="float64")
        ...     )
        >>> arms = {"old": times(1), "new": times(10)}
        >>> parted = ops.split(arms, weights={"old": 0.8, "new": 0.2}, key="id")
        >>> rows = [{"id": f"user-{i}", "x": 1.0} for i in range(1000)]
        >>> answers = asyncio.run(rxml.from_iterable(rows).pipe(parted).to_list())
        >>> 170 < sum(answer["arm"] == "new" for answer in answers) < 230
        True
        >>> (
        ...     answers[0]["propensity"] in {0.8, 0.2},
        ...     {answer.value for answer in answers} == {1.0, 10.0},
        ... )
        (True, True)
    """
    given = dict(arms)
    if not given:
        raise PipelineError("split wants at least one arm")
    if isinstance(weights, Flowable):
        source: Weights | Flowable[Mapping[str, float]] = weights
    else:
        source = weights if isinstance(weights, Weights) else Weights(weights)
        require_arms(source.now, tuple(given))
    require_key("split", key)
    Rendezvous((), seed)
    parting = Parting(given, key, seed)

    def open_(env: Env, node: Node, settings: Settings) -> Subscription[Any]:
        return SplitStage(env, node, settings, parting, source)

    scoring = Scoring(on, ordered, budget, max_batch, capacity, on_swap)
    return of_models("split", label("split", ", ".join(given)), given, scoring, open_, key=key)
