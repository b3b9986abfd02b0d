"""The kinds of operators. A new operator picks one; the kind does demand, errors, contexts, cancellation and counters.

| kind          | results an element | written as                                                     |
|---------------|--------------------|----------------------------------------------------------------|
| `elementwise` | 1                  | a function of the element                                      |
| `select`      | 0 or 1             | a predicate                                                    |
| `expand`      | n, lazily          | a function from an element to an iterable                      |
| `fold`        | any, with state    | a `Kernel` with `push`, `flush`, `snapshot`, `restore`         |
| `columns`     | on whole chunks    | a function from a sequence (a list or a `Batch`) to another    |
| `boundary`    | any, with tasks    | a coroutine between inlets and an `Outlet`                     |
| `stage`       | any, by hand       | a `Stage` with `pull` and `release`: when demand itself is the point |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from rxml.flow.body import BodyStage
from rxml.flow.chunk import CHUNK
from rxml.flow.expand import ExpandStage
from rxml.flow.flowable import Flowable
from rxml.flow.kernel import Columns, Elementwise, Select
from rxml.flow.node import (
    Cardinality,
    Checkpointing,
    KernelSpec,
    MarkSpec,
    Node,
    Spec,
    StageSpec,
    SuperviseSpec,
)
from rxml.flow.placing import PlacedOperator, StageOperator

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from rxml.flow.body import Outlet
    from rxml.flow.kernel import Kernel
    from rxml.flow.node import Env
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription
    from rxml.flow.supervision import Supervisor

A = TypeVar("A")
B = TypeVar("B")


def label(name: str, *arguments: object) -> str:
    """An operator's name as people read it: `map(parse)`."""
    return f"{name}({', '.join(map(_shown, arguments))})"


def _shown(argument: object) -> str:
    text = getattr(argument, "__name__", None) or repr(argument)
    if isinstance(argument, set | frozenset):  # whose own order is another one in each process
        text = f"{{{', '.join(sorted(map(repr, cast('set[object]', argument))))}}}"
    return text if len(text) <= 24 else text[:23] + "…"


def _operator(spec: Spec, *sources: Node) -> Operator[Any, Any]:
    return cast("Operator[Any, Any]", StageOperator(spec, sources))


def elementwise(name: str, function: Callable[[A], B]) -> Operator[A, B]:
    """One result for each element, without state."""
    return fold(name, lambda: Elementwise(function), cardinality=Cardinality.ONE)


def select(name: str, predicate: Callable[[A], object]) -> Operator[A, A]:
    """Those elements for which the predicate is true, without state."""
    return fold(name, lambda: Select(predicate), cardinality=Cardinality.AT_MOST_ONE, passes=True)


def fold(  # noqa: PLR0913 - each is a thing of its own that a stage may say of itself
    name: str,
    kernel: Callable[[], Kernel[A, B]],
    *,
    cardinality: Cardinality = Cardinality.MANY,
    capacity: int = 0,
    max_bytes: int | None = None,
    holds: bool = False,
    aligned: bool | None = None,
    opaque: bool = False,
    passes: bool = False,
    depends: bool = False,
) -> Operator[A, B]:
    """A stage with state.

    Where an element brings about one result or none, that has its context. Else a result has those of all elements since
    the one before it, joined (but see `Kernel.held`): it answers for them. Until then one reference is kept for each
    whose context somebody waits for, 8 bytes beside what that one is; nothing for others, or without contexts.

    Args:
        name: shown in graphs, statistics and errors.
        kernel: makes the state of one run.
        cardinality: results for each element.
        capacity: elements that the state may hold.
        max_bytes: bytes that it may hold.
        holds: its `flush` may give more than one element.
        aligned: result i belongs to element i; None: if it gives one result for each.
        opaque: see `rxml.flow.node.KernelSpec`.
        passes: its results are elements that it was given.
        depends: its result may depend on how elements were chunked.
    """
    spec = KernelSpec(
        name=name,
        kernel=kernel,
        cardinality=cardinality,
        columns=depends,
        capacity=capacity,
        max_bytes=max_bytes,
        holds=holds,
        aligned=cardinality is Cardinality.ONE if aligned is None else aligned,
        opaque=opaque,
        passes=passes,
    )
    return _operator(spec)


def expand(
    name: str,
    function: Callable[[A], Iterable[B]],
    *,
    whole: tuple[type[Sequence[Any]], ...] = (),
) -> Operator[A, B]:
    """The elements of an iterable for each element, lazily: one iterable is open at a time.

    Args:
        name: shown in graphs, statistics and errors.
        function: gives the iterable of an element.
        whole: types of iterables that come out as slices, not element by element; they must slice without copying.
    """
    spec = StageSpec(
        name=name,
        open=lambda env, node: ExpandStage(env, node, function, whole),
        cardinality=Cardinality.MANY,
        capacity=CHUNK,
        checkpointing=Checkpointing.PASSES,
    )
    return _operator(spec)


def columns(
    name: str,
    function: Callable[[Sequence[A]], Sequence[B]],
    *,
    cardinality: Cardinality = Cardinality.ONE,
    depends: bool = True,
    again: bool = False,
    traits: tuple[object, ...] = (),
) -> Operator[A, B]:
    """Work on the whole chunk at once.

    Args:
        name: shown in graphs, statistics and errors.
        function: from the elements of a chunk to results; never called with none.
        cardinality: results for each element; not more than one.
        depends: whether its result may depend on how elements were chunked.
        again: whether, after it has failed, it may be called on parts of the chunk to find the culprits.
        traits: see `rxml.flow.node.Spec`.
    """
    spec = KernelSpec(
        name=name,
        kernel=lambda: Columns(function, again=again),
        cardinality=cardinality,
        columns=depends,
        traits=traits,
    )
    return _operator(spec)


def boundary(
    name: str,
    body: Callable[[tuple[Subscription[Any], ...], Outlet[B]], Coroutine[Any, Any, None]],
    *sources: Node,
    cardinality: Cardinality = Cardinality.MANY,
    capacity: int,
    max_bytes: int | None = None,
    rate: bool = False,
    passes: bool = False,
    checkpointing: Checkpointing = Checkpointing.REFUSED,
) -> Operator[Any, B]:
    """A stage that runs a coroutine in a task of its own.

    Args:
        name: shown in graphs, statistics and errors.
        body: called as `await body(inlets, outlet)` at the first request. Its return ends the stream, its error fails it.
            inlets[0] is the flow that the operator stands behind; then come `sources`.
        sources: further inputs.
        cardinality: results for each element.
        capacity: elements that it may hold, in the outlet's buffer and by itself.
        max_bytes: bytes that the outlet's buffer may hold.
        rate: its result depends on time.
        passes: its results are elements of inlets[0].
        checkpointing: PASSES if the body keeps nothing across a barrier.
    """
    spec = StageSpec(
        name=name,
        open=lambda env, node: BodyStage(env, node, body),
        cardinality=cardinality,
        capacity=capacity,
        max_bytes=max_bytes,
        rate=rate,
        passes=passes,
        checkpointing=checkpointing,
    )
    return _operator(spec, *sources)


def stage(  # noqa: PLR0913 - as for `fold`
    name: str,
    open_: Callable[[Env, Node], Subscription[B]],
    *sources: Node,
    cardinality: Cardinality = Cardinality.MANY,
    capacity: int = 0,
    max_bytes: int | None = None,
    rate: bool = False,
    traits: tuple[object, ...] = (),
    passes: bool = False,
    merges: bool = False,
    reads: tuple[type[object], ...] = (),
    checkpointing: Checkpointing = Checkpointing.REFUSED,
) -> Operator[Any, B]:
    """A stage written by hand as a `Stage`; inputs are opened with `env.open(node.sources[i])` in the first `pull`.

    What it is where a run is saved must be said: see `rxml.flow.node.Checkpointing`.
    """
    spec = StageSpec(
        name=name,
        open=open_,
        cardinality=cardinality,
        capacity=capacity,
        max_bytes=max_bytes,
        rate=rate,
        traits=traits,
        passes=passes,
        merges=merges,
        reads=reads,
        checkpointing=checkpointing,
    )
    return _operator(spec, *sources)


def supervised(name: str, supervisor: Supervisor) -> Operator[A, A]:
    """No stage of its own: gives all stages upstream of it, down to the next such operator, a supervisor."""
    each = Cardinality.AT_MOST_ONE
    return _operator(SuperviseSpec(name=name, supervisor=supervisor, cardinality=each))


def placed(name: str, make: Callable[[Flowable[Any]], Operator[A, B]]) -> Operator[A, B]:
    """An operator that is made for the flow which it is put behind, by what is known of its elements (its traits)."""
    return cast("Operator[A, B]", PlacedOperator(name, make))


def mark(name: str, *traits: object) -> Operator[A, A]:
    """No stage of its own: says by its traits what holds for the elements from here on."""
    return _operator(MarkSpec(name=name, cardinality=Cardinality.ONE, traits=traits))


def source(
    name: str,
    open_: Callable[[Env, Node], Subscription[B]],
    *sources: Node,
    capacity: int = 0,
    checkpointing: Checkpointing = Checkpointing.REFUSED,
) -> Flowable[B]:
    """A flow that begins with this stage (fed by other flows, if it combines any).

    A `Stage` with `position` and `seek` is SAVED where a run is.
    """
    spec = StageSpec(
        name=name,
        open=open_,
        cardinality=Cardinality.SOURCE,
        capacity=capacity,
        checkpointing=checkpointing,
    )
    return Flowable(spec, sources)


def body_source(
    name: str,
    body: Callable[[tuple[Subscription[Any], ...], Outlet[B]], Coroutine[Any, Any, None]],
    *sources: Node,
    capacity: int,
    rate: bool = False,
) -> Flowable[B]:
    """A flow that a coroutine makes in a task of its own, from other flows or from nothing."""
    spec = StageSpec(
        name=name,
        open=lambda env, node: BodyStage(env, node, body),
        cardinality=Cardinality.SOURCE,
        capacity=capacity,
        rate=rate,
    )
    return Flowable(spec, sources)
