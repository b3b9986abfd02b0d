"""Flowable: a cold description of a stream, an Observable with demand."""

from __future__ import annotations

from functools import partial, reduce
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, overload

from reactivex.abc import ObservableBase
from typing_extensions import override

from rxml.flow import consume
from rxml.flow.graph import Budget, budget_of, mermaid
from rxml.flow.lift.piping import applied
from rxml.flow.lift.push import observable, subscribe
from rxml.flow.node import Node
from rxml.flow.svg import svg

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator
    from contextlib import AbstractAsyncContextManager

    from reactivex import Observable
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase
    from reactivex.abc.observer import OnCompleted, OnError, OnNext

    from rxml.flow.checkpointing.checkpoint import Checkpoint
    from rxml.flow.checkpointing.store import Store
    from rxml.flow.chunk import Chunk
    from rxml.flow.run import Run
    from rxml.flow.subscription import Subscription

T_co = TypeVar("T_co", covariant=True)
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")
G = TypeVar("G")
H = TypeVar("H")
I = TypeVar("I")  # noqa: E741 - one of twelve letters in a row
J = TypeVar("J")
K = TypeVar("K")
L = TypeVar("L")
M = TypeVar("M")


A_contra = TypeVar("A_contra", contravariant=True)
B_co = TypeVar("B_co", covariant=True)


class Operator(Protocol[A_contra, B_co]):
    """From one flow to another: what users write, test, publish and deploy.

    Any callable of that shape is an operator; composed operators are operators.
    """

    def __call__(self, source: Flowable[A_contra], /) -> Flowable[B_co]:
        """The flow with this operator behind it; runs nothing."""
        ...


_A = TypeVar("_A")
_B = TypeVar("_B")
Step: TypeAlias = "Operator[_A, _B] | Callable[[Observable[_A]], Observable[_B]]"
"""What `pipe` takes: an operator of rxml or of reactivex."""


class Flowable(Node, ObservableBase[T_co]):
    """A stream that is not running: building one runs nothing, and each use is a run of its own.

    Use it as `await flow`, `async for element in flow`, `async with flow.open()`, or `async with flow.start()`.
    """

    __slots__ = ()

    # fmt: off
    @overload
    def pipe(self) -> Flowable[T_co]: ...
    @overload
    def pipe(self, o1: Step[T_co, B], /) -> Flowable[B]: ...
    @overload
    def pipe(self, o1: Step[T_co, B], o2: Step[B, C], /) -> Flowable[C]: ...
    @overload
    def pipe(self, o1: Step[T_co, B], o2: Step[B, C], o3: Step[C, D], /) -> Flowable[D]: ...
    @overload
    def pipe(
        self, o1: Step[T_co, B], o2: Step[B, C], o3: Step[C, D], o4: Step[D, E], /,
    ) -> Flowable[E]: ...
    @overload
    def pipe(
        self, o1: Step[T_co, B], o2: Step[B, C], o3: Step[C, D], o4: Step[D, E],
        o5: Step[E, F], /,
    ) -> Flowable[F]: ...
    @overload
    def pipe(
        self, o1: Step[T_co, B], o2: Step[B, C], o3: Step[C, D], o4: Step[D, E],
        o5: Step[E, F], o6: Step[F, G], /,
    ) -> Flowable[G]: ...
    @overload
    def pipe(
        self, o1: Step[T_co, B], o2: Step[B, C], o3: Step[C, D], o4: Step[D, E],
        o5: Step[E, F], o6: Step[F, G], o7: Step[G, H], /,
    ) -> Flowable[H]: ...
    @overload
    def pipe(
        self, o1: Step[T_co, B], o2: Step[B, C], o3: Step[C, D], o4: Step[D, E],
        o5: Step[E, F], o6: Step[F, G], o7: Step[G, H], o8: Step[H, I], /,
    ) -> Flowable[I]: ...
    @overload
    def pipe(
        self, o1: Step[T_co, B], o2: Step[B, C], o3: Step[C, D], o4: Step[D, E],
        o5: Step[E, F], o6: Step[F, G], o7: Step[G, H], o8: Step[H, I],
        o9: Step[I, J], /,
    ) -> Flowable[J]: ...
    @overload
    def pipe(
        self, o1: Step[T_co, B], o2: Step[B, C], o3: Step[C, D], o4: Step[D, E],
        o5: Step[E, F], o6: Step[F, G], o7: Step[G, H], o8: Step[H, I],
        o9: Step[I, J], o10: Step[J, K], /,
    ) -> Flowable[K]: ...
    @overload
    def pipe(
        self, o1: Step[T_co, B], o2: Step[B, C], o3: Step[C, D], o4: Step[D, E],
        o5: Step[E, F], o6: Step[F, G], o7: Step[G, H], o8: Step[H, I],
        o9: Step[I, J], o10: Step[J, K], o11: Step[K, L], /,
    ) -> Flowable[L]: ...
    @overload
    def pipe(
        self, o1: Step[T_co, B], o2: Step[B, C], o3: Step[C, D], o4: Step[D, E],
        o5: Step[E, F], o6: Step[F, G], o7: Step[G, H], o8: Step[H, I],
        o9: Step[I, J], o10: Step[J, K], o11: Step[K, L], o12: Step[L, M], /,
    ) -> Flowable[M]: ...
    @overload
    def pipe(
        self, o1: Step[T_co, B], o2: Step[B, C], o3: Step[C, D], o4: Step[D, E],
        o5: Step[E, F], o6: Step[F, G], o7: Step[G, H], o8: Step[H, I],
        o9: Step[I, J], o10: Step[J, K], o11: Step[K, L], o12: Step[L, M], /,
        *more: Step[Any, Any],
    ) -> Flowable[Any]: ...
    # fmt: on

    def pipe(self, *operators: Any) -> Flowable[Any]:
        """This flow behind which the operators stand, in order.

        Takes operators of rxml and of reactivex side by side; the latter keep backpressure (see `rxml.flow.lift.piping`).

        Raises:
            PipelineError: something is not an operator.
        """
        return reduce(partial(applied, make=Flowable), operators, self)

    def through(self, operator: Callable[[Flowable[T_co]], B]) -> B:
        """What one operator of rxml makes of this flow: lambdas in it are inferred by every type checker.

        So is what an operator gives that gives no flow: `odd, even = flow.through(ops.partition(is_odd))`. (Overloads of
        `pipe` for those would leave checkers undecided about each step whose type is `Any`.)
        """
        return operator(self)

    def __await__(self) -> Generator[Any, None, T_co]:
        """Run to the end; the last element, as reactivex does.

        Raises:
            EmptyError: the stream ended without an element.
        """
        return consume.last(self).__await__()

    def __aiter__(self) -> AsyncIterator[T_co]:
        """Element by element. Leaving the loop closes the whole run.

        Asks ahead for at most as many elements as were consumed already, up to 256; `chunks(n)` asks for n at a time.
        """
        return consume.Elements(self)

    def chunks(self, n: int) -> AbstractAsyncContextManager[AsyncIterator[Chunk[T_co]]]:
        """`async with flow.chunks(n) as chunks: async for chunk in chunks`: demand n each, as much as is ready."""
        return consume.chunks(self, n)

    async def to_list(self) -> list[T_co]:
        """Run to the end; all elements."""
        return await consume.to_list(self)

    async def run(self, *, checkpoint: Checkpoint | Store | None = None) -> None:
        """Run to the end for the effects of the stages.

        Args:
            checkpoint: where and when the run is saved; a store for every 10 seconds. If there is a checkpoint the run
                goes on from it; if that says that the run has come to its end, there is nothing to do. None: not at all.

        Raises:
            PipelineError: a stage cannot be saved.
            CheckpointError: the checkpoint is of another pipeline or another version, or cannot be read or written.
        """
        await consume.drain(self, checkpoint)

    def open(self, *, fuse: bool = True) -> AbstractAsyncContextManager[Subscription[T_co]]:
        """`async with flow.open() as subscription`: ask by hand, `await subscription.request(n)`.

        Args:
            fuse: False gives each synchronous stage a loop of its own; the results are the same.
        """
        return consume.opened(self, fuse=fuse)

    def start(
        self, *, fuse: bool = True, checkpoint: Checkpoint | Store | None = None
    ) -> AbstractAsyncContextManager[Run[T_co]]:
        """`async with flow.start() as run`: runs in the background while you hold its switch and its counters.

        Args:
            fuse: see `open`.
            checkpoint: see `run`.
        """
        return consume.started(self, fuse=fuse, checkpoint=checkpoint)

    @override
    def subscribe(
        self,
        on_next: ObserverBase[T_co] | OnNext[T_co] | None = None,
        on_error: OnError | None = None,
        on_completed: OnCompleted | None = None,
        *,
        scheduler: SchedulerBase | None = None,
    ) -> DisposableBase:
        """Push all elements to an observer, as reactivex does: a task of the running loop, unbounded demand.

        Raises:
            RuntimeError: no event loop is running.
        """
        return subscribe(self, on_next, on_error, on_completed, scheduler)

    def to_rx(self) -> Observable[T_co]:
        """A reactivex Observable: each subscription is a run on the running loop, pushed without limit; `pipe` keeps demand."""
        return observable(self)

    def budget(self, *, element_bytes: int | None = None) -> Budget:
        """What a run may hold at most, per edge and in sum.

        Args:
            element_bytes: size of an element, to turn bounds in elements into bytes where no bound in bytes is set.
        """
        return budget_of(self, element_bytes)

    def draw(self) -> str:
        """The graph of stages as Mermaid text."""
        return mermaid(self)

    def _repr_svg_(self) -> str:
        """The picture that notebooks show."""
        return svg(self)

    @override
    def __repr__(self) -> str:
        names = [node.spec.name for node in self.walk()]
        shown = names if len(names) <= 8 else [*names[:3], "…", *names[-3:]]
        return f"Flowable({' → '.join(shown)})"
