"""Operators that ask several models about an element, and take the first answer that is sure enough."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any, Final

from rxml.batch.schema import require_name
from rxml.errors import PipelineError
from rxml.flow.check import require_count, require_function
from rxml.flow.guarding.rungs import NOTHING
from rxml.flow.kinds import label, placed, stage
from rxml.flow.matched import Matched
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.timing.duration import seconds_of
from rxml.flow.traits import trait
from rxml.learning.routing.hedging import Hedge, HedgeStage
from rxml.learning.routing.racing import Bar
from rxml.models.supervising.company import Company

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rxml.batch import Batch
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration

_AT_ONCE: Final = 1024


def hedge(  # noqa: PLR0913 - each is a thing of its own that one may say of asking several
    models: Mapping[str, Any],
    *,
    when: str | Callable[[Batch], Any],
    within: Duration,
    above: float | None = None,
    stagger: Duration = 0.0,
    into: str = "value",
    default: Any = NOTHING,
    concurrency: int = _AT_ONCE,
    ordered: bool | None = None,
) -> Operator[Any, Any]:
    """Ask several models about each element, and take the first answer that is sure enough, or the surest in time.

    Marble:
        --{x:1}-----------{x:2}-----------------|
        hedge({"a": a, "b": b}, when="sd", above=1, within=5), where a takes 1 and b takes 3; a is not sure of 2
        ----{..value:9,sd:.1,rung:a}--{..value:4,sd:.3,rung:b}--|

    Demand: as many elements as there is room for, whether or not the reader asks, after its first request.
    Buffers: at most `concurrency` elements: asked about, or answered and not taken; and what models hold of these.
    Emits: each element as a row, with the answer's columns beside its own, `rung`, the name of the model that gave it, and
        `reason`, which is "" if it is sure enough. Else it is the surest there was, and `reason` tells why there is no surer
        one: `late`, as for `fallback` why another has failed, or `unsure` if all have answered. In order; in a service, where
        answers find those who asked by contexts, as soon as they are there.
    Completes: with upstream, after the last element.
    Fails: with upstream; when an element is no mapping; without a `default`, with the error of the model that failed first if
        all fail, and with DeadlineError if some are late and none has answered. A supervisor can have the element left out.
    Cancels: upstream and what is asked, at once; of an element what else is asked about it, once there is its answer. As many
        as `concurrency` that are slow to leave are awaited at the end, and hold up no answer.
    Cost: a task for each model that is asked; with two functions about 70 microseconds an element.

    A model that fails, or gives what does not say how unsure it is, is asleep for that element. Of answers that are equally
    unsure the first to come counts, of those that are there at once the one of the model that is named first.

    Args:
        models: by name: a model or a flow of editions, an operator or a `Service`, a coroutine function of an element, or an
            `rxml.models.Arm` of one of these. They are asked in this order.
        when: how unsure an answer is; see `escalate`. It is read from the element and the answer.
        within: seconds, or a timedelta, > 0, that there are for an answer; and at most 95 % of the time that is left until the
            element's deadline.
        above: numbers above this are too unsure; None: `when` gives booleans, which say of which that holds.
        stagger: seconds, or a timedelta, from one to the next that is asked; the next is asked earlier when all those before
            have answered and are not sure enough, or have failed. 0: all at once, which costs most.
        into: the column of an answer that is no mapping.
        default: the answer when no model has one, of the rung "default"; answers past the deadline, too.
        concurrency: elements that are asked about at once, >= 1.
        ordered: elements leave in their order; None: save in a service.

    Raises:
        PipelineError: no models, or something that cannot answer.
        ValueError: a number out of its range.
        TypeError: `when` is neither a name nor a function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.testing.virtual_time import run
        >>> async def quick(row):
        ...     return {"value": 1.0, "sd": row["x"]}
        >>> async def exact(row):
        ...     await asyncio.sleep(row["x"])
        ...     return {"value": 2.0, "sd": 0.1}
        >>> rows = rxml.of({"x": 0.5}, {"x": 2.0}, {"x": 9.0})
        >>> first = ops.hedge({"quick": quick, "exact": exact}, when="sd", above=1, within=5)
        >>> [(row["value"], row["rung"], row["reason"]) for row in run(rows.pipe(first).to_list())]
        [(1.0, 'quick', ''), (2.0, 'exact', ''), (1.0, 'quick', 'late')]
    """
    seconds = seconds_of(within, "hedge(within)")
    if not seconds:
        raise ValueError("hedge wants within > 0 seconds, got 0")
    bar = Bar(_when(when), _above(above), _name(into))
    how = Hedge(bar, seconds, seconds_of(stagger, "hedge(stagger)"), default)
    require_count("hedge(concurrency=)", concurrency, 1)
    shown = label("hedge", ", ".join(_company(models).seats))

    def made(flow: Flowable[Any]) -> Operator[Any, Any]:
        in_order = trait(flow, Matched) is None if ordered is None else ordered

        def open_(env: Env, node: Node) -> HedgeStage:
            company = _company(models)
            return HedgeStage(env, node, company, how, concurrency=concurrency, ordered=in_order)

        return stage(
            shown,
            open_,
            cardinality=Cardinality.ONE,
            capacity=concurrency,
            checkpointing=Checkpointing.PASSES,
        )

    return placed(shown, made)


def _company(models: Any) -> Company:
    if not hasattr(models, "items") or not models:
        raise PipelineError(f"hedge wants models by name, at least one, got {models!r}")
    return Company(models)


def _when(when: Any) -> Any:
    if not isinstance(when, str):
        require_function("hedge(when=)", when, "says of a batch how unsure each row is")
    return when


def _above(above: float | None) -> float | None:
    if above is not None and isnan(above):
        raise ValueError(f"hedge(above=) wants a number, got {above!r}")
    return above


def _name(into: str) -> str:
    require_name(into)
    return into
