"""Operators that part those who ask among models: by reward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rxml.errors import PipelineError
from rxml.flow.check import require_count
from rxml.flow.flowable import Flowable
from rxml.flow.kinds import label
from rxml.flow.node import Checkpointing
from rxml.models.live.bandit import BanditStage
from rxml.models.live.building import Scoring, of_models, require_key
from rxml.models.live.learners import Exp3
from rxml.models.live.rendezvous import Rendezvous
from rxml.models.live.rewards import Rewards
from rxml.models.live.stage import Parting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rxml.eventtime.reading import Column
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription
    from rxml.models.live.learners import Learner, Policy
    from rxml.models.live.routed import Routed
    from rxml.models.model import Edition, Model
    from rxml.models.scoring.place import Place
    from rxml.models.scoring.settings import Settings, Swap

_EXP3: Final = Exp3()


def bandit(  # noqa: PLR0913 - each is a thing of its own that one may say of models at work
    arms: Mapping[str, Model | Flowable[Edition]],
    *,
    reward: Rewards | Flowable[tuple[Any, float]],
    key: Column,
    policy: Policy | Learner = _EXP3,
    remember: int = 100_000,
    seed: int = 0,
    on: Place | None = None,
    ordered: bool | None = None,
    budget: float = 0.02,
    max_batch: int = 1024,
    capacity: int = 4096,
    on_swap: Callable[[Swap], Any] | None = None,
) -> Operator[Any, Routed]:
    """Score each element by one of several models, more often by those that were rewarded.

    Marble:
        --1--2--3--4--5--6--|
        bandit({a: .., b: ..}, reward=.., key=..), where rewards come for what b has answered
        ----a--b--a--b--b--b|

    Demand: as many elements as there is room for, whether or not the reader asks, after its first request.
    Buffers: at most `capacity` elements (and 64 MiB), and the arm of each of the last `remember` ids, about 200 bytes each.
    Emits: a `Routed` prediction for each element, which says beside the rest `arm` and `propensity`, the probability with
        which that arm was drawn. Order and batches as `split`.
    Completes: with upstream, after the last prediction; whether or not the flow of rewards has ended.
    Fails: as `split`. A flow of rewards that fails is logged: nothing more is learnt.
    Cancels: upstream, rewards and what waits, at once; returns when the batches under way have ended.
    Cost: as `split`, and a few microseconds to remember an id; as many for each reward.

    An arm is drawn by a hash of the id and the seed, so that the same ids with the same rewards in between are drawn the same
    again; an id should be one of a decision, not of a person who comes again. A reward may come late: it counts with the
    probability that its arm had when it was drawn. One that never comes changes nothing; one for an id that is not known, or
    that has had its own, is left out.

    Args:
        arms: models, or flows of editions, such as `registry.watch("price@champion")`, by name.
        reward: pairs of an id and what its element came to, 0 to 1; or `Rewards`, for where there is no flow of them.
        key: the id of an element, a text or a whole number: the name of a column, or a function.
        policy: `Exp3()`, `EpsilonGreedy()`, or one of your own. What it has begun with `begin(arms)`, a `Learner`, goes on
            over all runs, and can be saved by its `snapshot`.
        remember: ids, >= 1.
        seed: 0 <= seed < 2^64.
        on: see `score`.
        ordered: see `score`.
        budget: see `score`.
        max_batch: see `score`.
        capacity: see `score`.
        on_swap: see `score`; for all arms.

    Raises:
        PipelineError: no models, no rewards, or models that do not want and give the same.
        ValueError: a number out of its range.

    Example:
        >>> import asyncio
        >>> from rxml import models, operators as ops
        >>> from rxml.batch import Schema
        >>> from rxml.flow.service import Service
        >>> from rxml.models.live import Rewards
        >>> def always(n):
        ...     return models.from_function(
        ...         lambda rows: n + 0 * rows["x"], inputs=Schema.of(x="float64")
        ...     )
        >>> rewards = Rewards()
        >>> drawn = ops.bandit({"low": always(0), "high": always(1)}, reward=rewards, key="id")
        >>> async def main():
        ...     count = 0
        ...     async with Service(drawn) as service:
        ...         for i in range(500):
        ...             answer = await service.ask({"id": i, "x": 1.0})
        ...             rewards.give(i, answer.value)
        ...             count += answer["arm"] == "high"
        ...     return count
        >>> asyncio.run(main()) > 400
        True
    """
    given = dict(arms)
    if not given:
        raise PipelineError("bandit wants at least one arm")
    if not isinstance(reward, Rewards | Flowable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise PipelineError(f"bandit(reward=) wants a flow of rewards, or Rewards, got {reward!r}")
    require_key("bandit", key)
    require_count("bandit(remember=)", remember, 1)
    policy.begin(len(given))
    Rendezvous((), seed)
    parting = Parting(given, key, seed)

    def open_(env: Env, node: Node, settings: Settings) -> Subscription[Any]:
        learner = policy.begin(len(given))
        return BanditStage(
            env, node, settings, parting, rewards=reward, learner=learner, remember=remember
        )

    return of_models(
        "bandit",
        label("bandit", ", ".join(given)),
        given,
        Scoring(on, ordered, budget, max_batch, capacity, on_swap),
        open_,
        key=key,
        checkpointing=Checkpointing.REFUSED,
    )
