"""Operators that have models trained, and that let the better one take over, while elements pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.errors import PipelineError
from rxml.eventtime.event_time import event_time_of
from rxml.eventtime.instants import nanoseconds
from rxml.flow.adopt import flows
from rxml.flow.check import permit_function, require_count
from rxml.flow.kinds import label, placed, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.learning.facade import ModelLearning
from rxml.learning.promoting.stage import Losses, PromoteStage
from rxml.learning.retraining.kernel import Retraining
from rxml.learning.retraining.stage import RetrainStage, What, When

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.eventtime.reading import Column
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.shapes import Same
    from rxml.flow.subscription import Subscription
    from rxml.flow.timing.duration import Duration
    from rxml.learning.facade import LearningConfig
    from rxml.learning.promoting.kernel import Promotion
    from rxml.learning.retraining.gates import Gate
    from rxml.models.artefacts.manifest import FactRange
    from rxml.models.registry import Registry


def retrain(  # noqa: PLR0913 - each is a thing of its own that one may say of a training
    learning: ModelLearning,
    config: LearningConfig,
    *,
    every: int | None = None,
    when: Callable[[Any], object] | Flowable[Any] | None = None,
    schedule: Duration | None = None,
    rows: int = 0,
    facts: Callable[[], FactRange] | None = None,
    accept: Gate | Sequence[Gate] = (),
    publish_to: Registry | None = None,
    name: str = "",
    alias: str = "",
    retraining: Retraining | None = None,
) -> Same:
    """Have a model trained off the loop now and then, and published if it is good enough, while elements pass.

    Marble:
        --1--2--3--4--|
        retrain(learning, config, every=2)
        --1--2--3--4--|    and a training begins behind 2, and one behind 4, unless that of 2 is under way

    Demand: n elements for n.
    Buffers: the `rows` latest elements, in the parts in which they came; they are copied when a training begins.
    Emits: the elements as they are.
    Completes: with upstream, after the training that is under way, which takes its timeout at most.
    Fails: with upstream; when an element has no time, or `when` raises. Nothing that becomes of a training fails anything:
        it hangs, crashes or takes too much memory, and `retraining.reports` says so.
    Cancels: upstream and the training, whose process is killed, at once.
    Cost: about 0.2 microseconds an element, beside that of `when`; a training costs what it costs, in another process.

    One training is under way at a time: what asks for another one meanwhile is told as skipped. Where a run is saved, the
    number of elements and the rows are; a training is not, and is not begun again.

    Args:
        learning: runs the trainings; whoever made it closes it.
        config: what is trained.
        every: elements behind which a training begins, >= 1.
        when: a function, that says of an element whether a training begins behind it; or a flow, such as one of drifts, of
            which each element begins one.
        schedule: of event time, in seconds or as a timedelta: a training begins behind the first element of each such period.
        rows: latest elements, mappings or rows of a batch of the same columns, that the trainer is given as `job.data`, >= 0;
            a `Label` among them is none.
        facts: called, in a thread, when a training begins: the range that the trainer is to read.
        accept: says why a model may not be published, such as `Threshold("accuracy", above=.8)` by its lower bound, or
            `Incumbent(registry, "price@champion", "rmse")`; one or several, called in a thread.
        publish_to: a registry, which refuses a model that promises intervals and has no record of how they hold.
        name: of the model there.
        alias: that shows the new version at once, such as "challenger", unless it shows a newer one by then; "": none does.
        retraining: is told what becomes of each training.

    Raises:
        ValueError: a number out of its range; nothing ever begins a training; a registry without a name.
        TypeError: no such function or duration.
        PipelineError: `learning` is none, or `schedule` is given and there is no event time upstream.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.learning.facade import LearningConfig, ModelLearning
        >>> from rxml.learning.retraining.kernel import Retraining
        >>> told = Retraining()
        >>> async def main():
        ...     async with ModelLearning() as learning:
        ...         retrain = ops.retrain(
        ...             learning, LearningConfig("shop:fit"), every=3, retraining=told
        ...         )
        ...         return await rxml.range(4).pipe(retrain).to_list()
        >>> asyncio.run(main())
        [0, 1, 2, 3]
        >>> [(each.decision, each.seen, each.reason) for each in told.recent()]
        [('failed', 3, "ModuleNotFoundError: No module named 'shop'")]
    """
    _require_learning(learning)
    if every is None and when is None and schedule is None:
        raise ValueError("retrain wants every=, when= or schedule=: nothing would begin a training")
    if publish_to is not None and not name:
        raise ValueError("retrain(publish_to=) wants name=, that of the model")
    permit_function("retrain(facts=)", facts, "gives a FactRange")
    gates = (accept,) if callable(accept) else tuple(accept)
    told = Retraining() if retraining is None else retraining
    most = require_count("retrain(rows)", rows, 0)
    what = What(learning, config, most, facts, gates, publish_to, name, alias, told)
    each = 0 if every is None else require_count("retrain(every)", every, 1)
    span = 0 if schedule is None else _span(schedule)
    begun, asks = _asking(when)

    def behind(source: Flowable[Any]) -> Operator[Any, Any]:
        event_time = event_time_of("retrain", source) if span else None
        asking = When(each, asks, event_time, span)

        def open_(env: Env, node: Node) -> Subscription[Any]:
            return RetrainStage(env, node, asking, what)

        return stage(
            label("retrain", config.trainer),
            open_,
            *begun,
            cardinality=Cardinality.ONE,
            capacity=most,
            passes=True,
            checkpointing=Checkpointing.SAVED,
        )

    return placed("retrain", behind)


def _asking(
    when: Callable[[Any], object] | Flowable[Any] | None,
) -> tuple[tuple[Flowable[Any], ...], Callable[[Any], object] | None]:
    """The flow that asks for trainings, or the function that does."""
    if when is None or callable(when):
        permit_function("retrain(when=)", when, "says of an element whether a training begins")
        return (), when
    return flows("retrain", (when,)), None


def _require_learning(given: object) -> None:
    if not isinstance(given, ModelLearning):
        raise PipelineError(f"retrain(learning) wants a ModelLearning, got {given!r}")


def _span(schedule: Duration) -> int:
    span = nanoseconds(schedule, "retrain(schedule)")
    if span < 1:
        raise ValueError(f"retrain(schedule) wants a time above 0, got {schedule!r}")
    return span


def promote(
    promotion: Promotion,
    *,
    champion: Column = "champion_loss",
    challenger: Column = "challenger_loss",
    loss: Column | None = None,
    arm: Column = "arm",
    propensity: Column = "propensity",
    versions: Callable[[Any], tuple[str, str]] | None = None,
) -> Same:
    """Let a challenger take over as soon as labelled elements prove that it is better, however often one looks.

    Marble:
        --{a:1,b:0}--{a:1,b:0}--{a:1,b:0}--|    a is the champion's loss, b the challenger's
        promote(promotion, champion="a", challenger="b")
        --{a:1,b:0}--{a:1,b:0}--{a:1,b:0}--|    and promotion.reports has it when it is proven

    Demand: n elements for n.
    Buffers: nothing.
    Emits: the elements as they are.
    Completes: with upstream, after the move of an alias that is under way.
    Fails: with upstream; when the registry has no such model; when an element has no such loss, or one that is not within the
        promotion's bounds. A registry that cannot be read or written to later is logged, and what is proven is tried again
        at the next look.
    Cancels: upstream, at once; an alias is moved, or not.
    Cost: about 200 microseconds a labelled element, half of one for others; files are read and written in a thread.

    An element whose loss is None or NaN has no label yet, and tells nothing. Where a run is saved, so is what is known; it
    counts on if the aliases still show the same versions.

    Behind `ops.split`, each element is answered by one of them: give `loss`, and name the arms as the aliases. Behind
    `ops.shadow`, make elements of what `on_difference` tells: where both say the same, the difference is 0, and leaving out
    zeros changes no sign.

    Args:
        promotion: decides, and says what it has decided.
        champion: its loss.
        challenger: its loss for the same element.
        loss: that of whoever has answered; then `champion` and `challenger` are not read.
        arm: who answered: the alias of the champion or the challenger; others tell nothing.
        propensity: the probability with which it was given to that one.
        versions: gives, for an element, the versions of champion and challenger by which it was answered, "" for what is not
            known; those of other versions than the aliases show tell nothing. None: all do, even if labels come late and an
            alias was moved between.

    Raises:
        TypeError: no such function.

    Example:
        >>> import asyncio, rxml, tempfile
        >>> from rxml import operators as ops
        >>> from rxml.learning.promoting.kernel import Promotion
        >>> from rxml.models.artefacts import linear
        >>> from rxml.models.registry import Registry
        >>> registry = Registry(tempfile.mkdtemp() + "/models")
        >>> for alias, weight in (("champion", 2.0), ("challenger", 3.0)):
        ...     version = registry.publish("price", linear({"area": weight}))
        ...     _ = registry.promote("price", alias, version)
        >>> promotion = Promotion(registry, "price")
        >>> judged = rxml.of(*[{"champion_loss": 0.9, "challenger_loss": 0.1}] * 50)
        >>> len(asyncio.run(judged.pipe(ops.promote(promotion)).to_list()))
        50
        >>> promotion.now.decision, registry.aliases("price")["champion"].version
        ('promoted', '2')
    """
    permit_function("promote(versions=)", versions, "gives two versions")
    if loss is None:
        losses = Losses(champion, challenger, None, propensity, versions)
    else:
        losses = Losses(loss, None, arm, propensity, versions)

    def open_(env: Env, node: Node) -> Subscription[Any]:
        return PromoteStage(env, node, promotion, losses)

    return stage(
        label("promote", promotion.name),
        open_,
        cardinality=Cardinality.ONE,
        passes=True,
        checkpointing=Checkpointing.SAVED,
    )
