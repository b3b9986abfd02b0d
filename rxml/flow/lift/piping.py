"""Lift: how `pipe` applies what it is given, operators of rxml and of reactivex side by side.

An operator of reactivex is a function from an `Observable` to another one. Neighbouring ones run as one stage between
a source that is asked and a reader that asks (`rxml.flow.lift.lifted`), so that backpressure is kept across them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from functools import partial, reduce
from typing import TYPE_CHECKING, Any, Final, cast

from reactivex import Observable
from reactivex import operators as rx_operators

from rxml.errors import PipelineError
from rxml.flow.body import BodyStage
from rxml.flow.chunk import CHUNK
from rxml.flow.lift.lifted import Lifted
from rxml.flow.lift.push import observable
from rxml.flow.node import Node, StageSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.body import Outlet
    from rxml.flow.node import Env, Spec
    from rxml.flow.subscription import Subscription

    Make = Callable[[Spec, tuple[Node, ...]], Node]

BURST: Final = 65_536
"""Results that one element may bring about at once, unless `rxml.rx.lift` is told otherwise."""

_REF_COUNT: Final = "reactivex.operators.connectable._refcount."

_ROW: Final = 64
"""Operators of reactivex in one stage: each takes a few frames of the stack."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LiftSpec(StageSpec):
    """A stage of reactivex operators.

    Attributes:
        operators: in order.
        bound: elements that they may keep.
        burst: results that one element may bring about at once.
    """

    operators: tuple[Callable[[Observable[Any]], Any], ...]
    bound: int
    burst: int


def applied(flow: Any, operator: Any, make: Make) -> Any:
    """The flow with the operator behind it.

    Args:
        flow: what stands in front.
        operator: of rxml, of reactivex, or a function of the user's that composes some.
        make: makes a flow of a spec and its sources.

    Returns:
        A flow; or what the operator gives instead (`partition` gives two, `to_future` a future): then it must be the last.

    Raises:
        PipelineError: it is no operator, or one behind something that is no flow.
    """
    if not isinstance(flow, Node):
        raise PipelineError(
            f"{_name(operator)} stands behind an operator that gives {_kind(flow)}: such a one must be the last of a pipe"
        )
    if not callable(operator):
        raise PipelineError(f"pipe wants operators, got {operator!r} ({_kind(operator)})")
    if _module(operator).startswith("reactivex."):
        return lifted(flow, operator, make)
    if _module(operator).startswith("rxml."):
        return operator(flow)
    return _applied(flow, operator, make)


def _applied(flow: Node, operator: Callable[[Any], Any], make: Make) -> Any:
    """A user's function says by what it gives which kind of operator it is."""
    try:
        result = operator(flow)
    except Exception:
        # It may use methods that only observables have.
        if not _lifts(operator):
            raise
        return lifted(flow, operator, make)
    if isinstance(result, Observable):
        return lifted(flow, operator, make)
    if isinstance(result, Node) or _sensible(result):
        return result
    close = getattr(result, "close", None)
    if close is not None:
        close()  # a coroutine or a generator, that would complain of never having been run
    raise PipelineError(
        f"pipe wants operators, functions from a flow to a flow; {_name(operator)} made {_kind(result)} of one"
    )


def _lifts(operator: Callable[[Any], Any]) -> bool:
    try:
        return isinstance(operator(Observable()), Observable)
    except Exception:  # noqa: BLE001 - then what it said of the flow is what counts
        return False


def _sensible(result: object) -> bool:
    """Streams, side by side, or a promise of the last element."""
    if isinstance(result, list | tuple):
        parts = cast("list[object]", result)
        return bool(parts) and all(isinstance(part, Node | Observable) for part in parts)
    return isinstance(result, Awaitable) and not isinstance(result, Coroutine)


def lifted(
    flow: Node,
    operator: Callable[[Observable[Any]], Any],
    make: Make,
    *,
    bound: int = CHUNK,
    burst: int = BURST,
) -> Any:
    """The flow with one more operator of reactivex behind it, in one stage with those before it if there are any.

    Returns:
        A flow; or what the operator gives if that is no observable, built on `flow.to_rx()`.
    """
    operator = _fresh(operator)
    if _module(operator) == "reactivex.operators._tofuture.":
        return operator(observable(flow))  # runs at once: it must not be tried
    tried = operator(Observable())
    if not isinstance(tried, Observable):
        if not _sensible(tried):
            raise PipelineError(
                f"{_name(operator)} of reactivex made {_kind(tried)} of an observable; if it is not yet an operator, call it: "
                f"{_name(operator)}(...)"
            )
        return operator(observable(flow))
    spec = flow.spec
    if not isinstance(spec, LiftSpec) or (spec.bound, spec.burst) != (bound, burst):
        return make(_spec((operator,), bound, burst), (flow,))
    if len(spec.operators) >= _ROW and _module(operator) != _REF_COUNT:
        return make(_spec((operator,), bound, burst), (flow,))
    return make(_spec((*spec.operators, operator), bound, burst), flow.sources)


def _spec(
    operators: tuple[Callable[[Observable[Any]], Any], ...], bound: int, burst: int
) -> LiftSpec:
    def build(proxy: Observable[Any]) -> Observable[Any]:
        return reduce(lambda source, operator: _fresh(operator)(source), operators, proxy)

    async def body(node: Node, inlets: tuple[Subscription[Any], ...], outlet: Outlet[Any]) -> None:
        run = Lifted(build, node.sources[0], inlets[0], outlet, bound=bound, burst=burst)
        await run.run()

    def open_(env: Env, node: Node) -> Subscription[Any]:
        return BodyStage(env, node, partial(body, node))

    return LiftSpec(
        name=f"reactivex({', '.join(map(_name, operators))})",
        open=open_,
        capacity=bound + burst,
        operators=operators,
        bound=bound,
        burst=burst,
    )


def _fresh(operator: Callable[[Observable[Any]], Any]) -> Callable[[Observable[Any]], Any]:
    """The `ref_count` of reactivex counts in the operator, not in the run: each run takes one of its own."""
    if _module(operator) == _REF_COUNT:
        return cast("Callable[[Observable[Any]], Any]", rx_operators.ref_count())
    return operator


def _module(operator: Any) -> str:
    function: Any = operator.func if isinstance(operator, partial) else operator
    return f"{getattr(function, '__module__', None) or ''}."


def _name(operator: Any) -> str:
    """The operator's name: reactivex hides it, in a wrapper's variable or in a qualified name."""
    function: Any = operator.func if isinstance(operator, partial) else operator
    variables = getattr(getattr(function, "__code__", None), "co_freevars", ())
    if not _module(function).startswith("reactivex."):
        return getattr(function, "__name__", None) or repr(function)
    if "fun" in variables:
        function = function.__closure__[variables.index("fun")].cell_contents
    return str(function.__qualname__).partition(".<locals>")[0].rstrip("_")


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
