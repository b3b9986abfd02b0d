"""Operators that answer in any case: by another way, or with those who replied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from rxml.errors import PipelineError
from rxml.flow.check import PLAIN, permit_function, require_callable, require_count
from rxml.flow.guarding.panel import Panel, Quorum
from rxml.flow.guarding.rungs import NOTHING, Answer, Descent, Rung
from rxml.flow.kinds import label, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.timing.duration import seconds_of
from rxml.flow.workers.map_async import MapAsyncStage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from rxml.flow.guarding.standing import Call
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration
    from rxml.resilience.ladder import Ladder

A = TypeVar("A")
B = TypeVar("B")

AT_ONCE: Final = 16
"""Elements that are worked on at once unless it is said otherwise."""


def fallback(
    *rungs: Callable[[A], Any] | Rung,
    default: Any = NOTHING,
    ladder: Ladder | None = None,
    concurrency: int = AT_ONCE,
    ordered: bool = True,
) -> Operator[A, Answer[Any]]:
    """Answer each element by the best way that works in time, and say which that was, and why.

    Marble:
        -1--2--3--|
        fallback(primary, smaller, default=0), where primary is down for 2, and both are for 3
        -1--2--0--|      (rungs 0, 1, 2)

    Demand: as many elements as there is room for, whether or not the reader asks, after its first request.
    Buffers: at most `concurrency` elements: worked on, or done and not taken.
    Emits: an `Answer` for each element: value, rung, its name, the reason why it is not the first rung's, and by how much
        its uncertainty is to be widened. In order, unless `ordered=False`.
    Completes: with upstream, after the last answer.
    Fails: with upstream; without a `default`, with the error of the last rung. A supervisor can have the element left out.
    Cancels: upstream and what is worked on, at once.
    Cost: as `map_async`, and a few microseconds an element: a timer for each rung that is waited for is most of it.

    The rungs are tried in turn: such as the primary model, a smaller one, what is cached, and a `default`. A rung that has
    others below it gets at most three quarters of the time that is left until the element's deadline, so that those
    still have some. With a `ladder` the first rungs are left out while answers come late (brownout). Reasons:
    `overload` (the ladder), `late`, the policy that refused (`breaker`, `bulkhead`, …), or `error: ` and its class.

    Args:
        rungs: functions of an element, plain ones or coroutine functions (a `Guard`, where calls need one); or `Rung`s.
        default: the value when no rung has answered; answers past the deadline, too.
        ladder: decides where to begin, for as many rungs as there are here; shared by all who are given it.
        concurrency: elements worked on at once, >= 1.
        ordered: answers in the order of the elements.

    Raises:
        PipelineError: no rung, or something else than a function as one; a ladder of another number of rungs.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> async def primary(x):
        ...     return 6 // x
        >>> flow = rxml.of(2, 0).pipe(ops.fallback(primary, {1: 5}.__getitem__, default=-1))
        >>> [(answer.value, answer.name, answer.reason) for answer in asyncio.run(flow.to_list())]
        [(3, 'primary', None), (-1, 'default', 'error: KeyError')]
    """
    if not rungs:
        raise PipelineError("fallback wants at least one function")
    steps = tuple(_rung(each) for each in rungs)
    require_count("fallback(concurrency=)", concurrency, 1)
    if ladder is not None and ladder.rungs != len(steps):
        raise PipelineError(
            f"fallback wants a ladder of {len(steps)} rungs, got one of {ladder.rungs}"
        )
    descent = Descent(steps, default, ladder)
    return _each("fallback", steps[0].name, descent, concurrency, ordered=ordered)


def _rung(given: Any) -> Rung:
    if isinstance(given, Rung):
        return given
    require_callable("fallback", given, "answers an element")
    return Rung(given)


def quorum(
    models: Mapping[str, Callable[[A], Awaitable[B]]] | Sequence[Callable[[A], Awaitable[B]]],
    *,
    need: int,
    within: Duration,
    combine: Callable[[Quorum[B]], Any] | None = None,
    concurrency: int = AT_ONCE,
    ordered: bool = True,
) -> Operator[A, Any]:
    """Ask several models about each element, and answer with those that have replied in time.

    Marble:
        -1---------2----------|
        quorum([fast, slow], need=1, within=3), where slow takes 2 for 1 and 5 for 2
        ---a---------b--------|      (both; fast alone)

    Demand: as many elements as there is room for, whether or not the reader asks, after its first request.
    Buffers: at most `concurrency` elements: worked on, or done and not taken.
    Emits: for each element a `Quorum`: the answers by the model's name, and of those that are missing why: `late`, or as
        for `fallback`; or what `combine` makes of it. In order, unless `ordered=False`.
    Completes: with upstream, after the last answer.
    Fails: with upstream; with a QuorumError, as soon as fewer than `need` can still answer; when `combine` raises. A
        supervisor can have the element left out.
    Cancels: upstream and what is worked on, at once. Models that are late are cancelled, and awaited at the end.
    Cost: one task for each model and element.

    An answer without all models is less certain: let `combine` widen it by what `missing` says (Clipper, NSDI 2017).

    Args:
        models: coroutine functions of an element, by name; or several, which are named as they are (or numbered).
        need: models that must answer, from 1 to all of them.
        within: seconds, or a timedelta, > 0; and at most 95 % of the time that is left until the element's deadline.
        combine: makes one answer of the Quorum.
        concurrency: elements worked on at once, >= 1.
        ordered: answers in the order of the elements.

    Raises:
        PipelineError: no models, or no functions.
        ValueError: `need` is more than there are, `within` is not > 0.
        QuorumError: when run, fewer than `need` answered.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.testing.virtual_time import run
        >>> async def quick(x):
        ...     return x
        >>> async def slow(x):
        ...     await asyncio.sleep(x)
        ...     return -x
        >>> flow = rxml.of(1, 9).pipe(ops.quorum([quick, slow], need=1, within=3))
        >>> [(each.answers, each.missing) for each in run(flow.to_list())]
        [({'quick': 1, 'slow': -1}, {}), ({'quick': 9}, {'slow': 'late'})]
    """
    named = _named(models)
    require_count("quorum(need=)", need, 1)
    if need > len(named):
        raise ValueError(
            f"quorum wants need <= {len(named)}, as many as there are models, got {need}"
        )
    seconds = seconds_of(within, "quorum(within)")
    if not seconds:
        raise ValueError("quorum wants within > 0 seconds, got 0")
    permit_function("quorum(combine=)", combine, "makes an answer of a Quorum", PLAIN)
    require_count("quorum(concurrency=)", concurrency, 1)
    panel = Panel(named, need, seconds, combine)
    return _each("quorum", ", ".join(named), panel, concurrency, ordered=ordered)


def _named(models: Any) -> dict[str, Call]:
    given: dict[str, Any] = dict(models if hasattr(models, "keys") else _numbered(models))
    if not given:
        raise PipelineError("quorum wants at least one model")
    for name, each in given.items():
        require_callable(f"quorum: the model {name!r}", each, "gives an awaitable")
    return given


def _numbered(models: Sequence[Any]) -> list[tuple[str, Any]]:
    """Each by its own name, or by its number if it has none, or another has the same."""
    names: list[str] = [getattr(each, "__name__", "") for each in models]
    return [
        (name if name and names.count(name) == 1 else str(at), model)
        for at, (name, model) in enumerate(zip(names, models, strict=True))
    ]


def _each(
    name: str, shown: str, function: Call, concurrency: int, *, ordered: bool
) -> Operator[Any, Any]:
    def open_(env: Env, node: Node) -> MapAsyncStage:
        return MapAsyncStage(
            env, node, function, concurrency=concurrency, ordered=ordered, key=None
        )

    return stage(
        label(name, shown),
        open_,
        cardinality=Cardinality.ONE,
        capacity=concurrency,
        checkpointing=Checkpointing.PASSES,
    )
