"""Operators that part those who ask among models: on trial."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from rxml.errors import PipelineError
from rxml.flow.check import PLAIN, permit_function, require_count
from rxml.flow.kinds import label
from rxml.models.live.building import Scoring, of_models, require_key
from rxml.models.live.canary import CANDIDATE, STABLE, CanaryStage
from rxml.models.live.limits import Guard, Limits
from rxml.models.live.rendezvous import Rendezvous
from rxml.models.live.rollout import Rollout
from rxml.models.live.stage import Parting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.eventtime.reading import Column
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription
    from rxml.models.live.rollout import Decision
    from rxml.models.live.routed import Routed
    from rxml.models.model import Edition, Model
    from rxml.models.scoring.place import Place
    from rxml.models.scoring.settings import Settings, Swap

_LIMITS: Final = Limits()


def canary(  # noqa: PLR0913 - each is a thing of its own that one may say of models at work
    stable: Model | Flowable[Edition],
    candidate: Model | Flowable[Edition],
    *,
    key: Column,
    share: float | Sequence[float] = 0.05,
    until: int | None = None,
    guard: Guard | None = _LIMITS,
    on_decision: Callable[[Decision], Any] | None = None,
    seed: int = 0,
    on: Place | None = None,
    ordered: bool | None = None,
    budget: float = 0.02,
    max_batch: int = 1024,
    capacity: int = 4096,
    on_swap: Callable[[Swap], Any] | None = None,
) -> Operator[Any, Routed]:
    """Score a share of ids by a candidate, more of them as it proves itself, none once it is worse.

    Marble:
        --1--2--3--4--5--6--7--|
        canary(stable, candidate, share=.3, guard=..), where the candidate fails for 2 and 5
        ----s--s--c--s--s--s--s|

    Demand: as many elements as there is room for, whether or not the reader asks, after its first request.
    Buffers: at most `capacity` elements (and 64 MiB): waiting, being scored, or scored and not taken.
    Emits: a `Routed` prediction for each element, which says beside the rest `arm` (stable, candidate) and `propensity`. What
        the candidate fails for, or has not answered in half of the time until its deadline, the stable model answers, with
        the rung "stable" and the reason. Order and batches as `split`.
    Completes: with upstream, after the last prediction.
    Fails: as `score`, by the stable model; nothing that the candidate does fails anything.
    Cancels: upstream and what waits, at once; returns when the batches under way have ended.
    Cost: as `split`, and 2 microseconds an element while a candidate is on trial; about 40 for each pair of outcomes compared.

    An id that the candidate answers keeps it as the share rises. A stage is over when it has lasted `until` outcomes of the
    candidate and the guard has found it well; after the last one it gets all. Once the guard finds it worse, it gets nothing,
    at once: what waits for it is answered by the stable model. Another edition of the candidate begins anew, whatever became
    of the one before; so does the trial that is on when there is another stable model. Once the candidate has been promoted the
    next stable model answers all again, so that an alias that is promoted then can be rolled back. A candidate in a flow stays
    in memory after a rollback until the next one; a model is let go of.

    Args:
        stable: a model, or a flow of editions, such as `registry.watch("price@champion")`.
        candidate: the same; while it has none yet, the stable model answers all.
        key: the id of an element, a text or a whole number: the name of a column, or a function.
        share: of ids, 0 < share < 1; several, each larger than the one before, are stages.
        until: outcomes of the candidate in each stage, >= 1; None: it stays at the first share.
        guard: finds a candidate worse or well, `Limits` unless told otherwise: a sequential test of how often it fails beside
            the stable model in the same time, wrong with a probability of 0.01 at most. None: it is always well.
        on_decision: told of each decision; `dataclasses.asdict` of one can be the payload of a fact.
        seed: see `split`.
        on: see `score`; a candidate that may hang wants `threads()` or `engines.processes()`: on the loop it holds up all.
        ordered: see `score`.
        budget: see `score`.
        max_batch: see `score`.
        capacity: see `score`.
        on_swap: see `score`; for both.

    Raises:
        PipelineError: no models, or models that do not want and give the same.
        ValueError: a number out of its range, shares that do not rise.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import models, operators as ops
        >>> from rxml.batch import Schema
        >>> from rxml.models.live import Limits
        >>> def broken(rows):
        ...     raise OSError("no such table")
        >>> old = models.from_function(lambda rows: rows["x"], inputs=Schema.of(x="float64"))
        >>> new = models.from_function(broken, inputs=Schema.of(x="float64"))
        >>> decisions = []
        >>> tried = ops.canary(old, new, key="id", share=0.1, on_decision=decisions.append)
        >>> rows = [{"id": i, "x": 1.0} for i in range(2000)]
        >>> answers = asyncio.run(rxml.from_iterable(rows).pipe(tried).to_list())
        >>> [(each.kind, each.reason, each.share) for each in decisions]
        [('begun', '', 0.1), ('rolled_back', 'errors', 0.0)]
        >>> {answer.value for answer in answers}
        {1.0}
    """
    stages = _stages(share)
    if until is not None:
        require_count("canary(until=)", until, 1)
    if guard is not None and not hasattr(guard, "begin"):
        raise PipelineError(f"canary(guard=) wants a Guard, such as Limits(), got {guard!r}")
    permit_function("canary(on_decision=)", on_decision, "takes a Decision", PLAIN)
    require_key("canary", key)
    Rendezvous((), seed)
    both = {STABLE: stable, CANDIDATE: candidate}
    parting = Parting(both, key, seed)

    def open_(env: Env, node: Node, settings: Settings) -> Subscription[Any]:
        rollout = Rollout(stages, until, guard)
        return CanaryStage(env, node, settings, parting, rollout=rollout, on_decision=on_decision)

    scoring = Scoring(on, ordered, budget, max_batch, capacity, on_swap)
    return of_models("canary", label("canary", *stages), both, scoring, open_, key=key)


def _stages(share: float | Sequence[float]) -> tuple[float, ...]:
    stages = (share,) if isinstance(share, int | float) else tuple(share)
    rising = all(before < after for before, after in pairwise(stages))
    if not stages or not rising or not all(0 < each < 1 for each in stages):
        raise ValueError(
            f"canary(share=) wants a share between 0 and 1, or several that rise, got {share!r}"
        )
    return stages
