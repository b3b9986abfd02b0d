"""Operators that part those who ask among models: in the shadow."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from rxml.flow.check import PLAIN, permit_function, require_count
from rxml.flow.kinds import label
from rxml.models.live.building import Scoring, of_models
from rxml.models.live.differing import ShadowTally
from rxml.models.live.shadow import ShadowStage
from rxml.models.live.watcher import Shading
from rxml.models.scoring.places import threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription
    from rxml.models.live.differing import Difference
    from rxml.models.model import Edition, Model
    from rxml.models.prediction import Prediction
    from rxml.models.scoring.place import Place
    from rxml.models.scoring.settings import Settings, Swap


def shadow(  # noqa: PLR0913 - each is a thing of its own that one may say of models at work
    model: Model | Flowable[Edition],
    other: Model | Flowable[Edition],
    *,
    on_difference: Callable[[Difference], Any] | None = None,
    tally: ShadowTally | None = None,
    share: float = 1.0,
    tolerance: float = 1e-9,
    lag: int = 1024,
    shadow_on: Place | None = None,
    on: Place | None = None,
    ordered: bool | None = None,
    budget: float = 0.02,
    max_batch: int = 1024,
    capacity: int = 4096,
    on_swap: Callable[[Swap], Any] | None = None,
) -> Operator[Any, Prediction]:
    """Score each element by a model, and have another one score the same elements, which answers nobody.

    Marble:
        --{x:1}{x:2}---{x:3}-------|
        shadow(double, other)
        -------{y:2}{y:4}---{y:6}--|

    Demand: as `score` by the first model.
    Buffers: as `score`; and at most `lag` rows that the shadow has not scored yet.
    Emits: what `score` by the first model does.
    Completes: with upstream, after the last prediction. The run ends when the shadow is done with what it has, after a second
        at most, and has ended the batch that is under way.
    Fails: as `score` by the first model; nothing that the shadow does fails anything.
    Cancels: as `score`; what the shadow has is forgotten.
    Cost: as `score`, twice; the shadow in threads of its own, which hold up the rest only as far as it holds the GIL: for a
        model that does, `shadow_on=engines.processes(...)`.

    The shadow is spared elements, and they are counted as shed, while it has no version yet, while `lag` rows wait for it,
    and while more than 60 % of `capacity` are held for the first model.

    Args:
        model: what answers; or a flow of editions, such as `registry.watch("price@champion")`.
        other: the shadow; the same.
        on_difference: told of each element of which both do not say the same, or for which the shadow failed. What it raises
            is logged.
        tally: counts what was compared, different, failed and shed.
        share: of elements that the shadow is to see, 0 < share <= 1.
        tolerance: by which numbers may differ, of the larger one, or absolutely for those below 1; >= 0.
        lag: rows that may wait for the shadow, >= 1.
        shadow_on: where the shadow runs; None: in a thread.
        on: see `score`; for the first model, as all that follow.
        ordered: see `score`.
        budget: see `score`.
        max_batch: see `score`.
        capacity: see `score`.
        on_swap: see `score`.

    Raises:
        PipelineError: no models, or models that do not want and give the same.
        ValueError: a number out of its range.

    Example:
        >>> import asyncio
        >>> from rxml import models, operators as ops
        >>> from rxml.batch import Schema
        >>> from rxml.flow.service import Service
        >>> X = Schema.of(x="float64")
        >>> old = models.from_function(lambda rows: 2 * rows["x"], inputs=X)
        >>> new = models.from_function(lambda rows: rows["x"] ** 2, inputs=X)
        >>> differences = []
        >>> operator = ops.shadow(old, new, on_difference=differences.append)
        >>> async def main():
        ...     async with Service(operator) as service:
        ...         return [(await service.ask({"x": x})).value for x in (1.0, 2.0)]
        >>> asyncio.run(main())
        [2.0, 4.0]
    """
    if not 0 < share <= 1:
        raise ValueError(f"shadow(share=) wants 0 < share <= 1, got {share!r}")
    if not 0 <= tolerance < inf:
        raise ValueError(f"shadow(tolerance=) wants a number >= 0, got {tolerance!r}")
    require_count("shadow(lag=)", lag, 1)
    permit_function("shadow(on_difference=)", on_difference, "takes a Difference", PLAIN)
    counts = ShadowTally() if tally is None else tally
    place = threads() if shadow_on is None else shadow_on
    shading = Shading(other, place, share, tolerance, lag, on_difference, counts)

    def open_(env: Env, node: Node, settings: Settings) -> Subscription[Any]:
        return ShadowStage(env, node, settings, shading)

    scoring = Scoring(on, ordered, budget, max_batch, capacity, on_swap)
    both = {"model": model, "other": other}
    return of_models("shadow", label("shadow", model, other), both, scoring, open_, routed=False)
