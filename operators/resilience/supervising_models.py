"""Operators that have several models supervised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.errors import PipelineError
from rxml.flow.check import require_count
from rxml.flow.kinds import label, placed, stage
from rxml.flow.matched import Matched
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.traits import trait
from rxml.models.supervising.stage import SupervisedStage
from rxml.models.supervising.supervisor import ModelSupervisor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator


def supervise_models(
    supervisor: ModelSupervisor | Mapping[str, Any],
    *,
    concurrency: int = 1024,
    ordered: bool | None = None,
) -> Operator[Any, Any]:
    """Have each element answered by one of several models, in time, whatever the others do.

    Marble:
        -1--2-----3--|
        supervise_models({"a": a, "b": b}), where a fails for 2, which is then asked of b
        -a1-b2----a3-|

    Demand: as many elements as there is room for, whether or not the reader asks, after its first request.
    Buffers: at most `concurrency` elements: asked for, or answered and not taken; and what the arms hold of these.
    Emits: an `Answer` for each element: value, rung, the arm's name, the reason why it is not the first arm's; where arms
        are models, a `Prediction` that says the same. In order; in a service, where answers find those who asked by their
        contexts, as soon as they are there.
    Completes: with upstream, after the last answer.
    Fails: with upstream; without a `default`, with what `ModelSupervisor.ask` raises. A supervisor can have the element
        left out.
    Cancels: upstream and what is asked for, at once; returns when the arms' models have ended what is under way.
    Cost: about 50 microseconds an element beside the arms; no task an element.

    An element's own deadline counts, too: see `deadline`. Models are loaded when the run begins, and let go of at its end,
    unless somebody else has started the supervisor.

    Args:
        supervisor: what is known of its arms is shared by all runs; or its arms by name: then each run has a supervisor of
            its own, with its defaults.
        concurrency: elements asked for at once, >= 1.
        ordered: answers leave in the order of the elements; None: save in a service.

    Raises:
        PipelineError: no supervisor, or no arms.

    Example:
        >>> import rxml
        >>> from rxml import operators as ops
        >>> from rxml.testing.virtual_time import run
        >>> async def steady(x):
        ...     return 2 * x
        >>> async def picky(x):
        ...     return 6 // x
        >>> supervisor = rxml.models.ModelSupervisor({"a": picky, "b": steady}, weights={"a": 1})
        >>> flow = rxml.of(3, 0).pipe(ops.supervise_models(supervisor))
        >>> [(each.value, each.name, each.reason) for each in run(flow.to_list())]
        [(2, 'a', None), (0, 'b', 'error: ZeroDivisionError')]
    """
    require_count("supervise_models(concurrency=)", concurrency, 1)
    given = supervisor if isinstance(supervisor, ModelSupervisor) else None
    described = given or ModelSupervisor(_arms(supervisor))
    shown = label("supervise_models", ", ".join(seat.name for seat in described.seats))

    def made(flow: Flowable[Any]) -> Operator[Any, Any]:
        in_order = trait(flow, Matched) is None if ordered is None else ordered

        def open_(env: Env, node: Node) -> SupervisedStage:
            own = given or ModelSupervisor(_arms(supervisor))
            return SupervisedStage(env, node, own, concurrency, ordered=in_order)

        return stage(
            shown,
            open_,
            cardinality=Cardinality.ONE,
            capacity=concurrency,
            traits=described.traits,
            checkpointing=Checkpointing.PASSES,
        )

    return placed(shown, made)


def _arms(given: Any) -> Mapping[str, Any]:
    if hasattr(given, "items"):
        return given  # type: ignore[no-any-return]
    raise PipelineError(
        f"supervise_models wants a ModelSupervisor, or a mapping from names to arms, got {type(given).__name__}"
    )
