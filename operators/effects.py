"""Operators for what happens beside a stream."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.check import permit_function, require_callable
from rxml.flow.compose import compose
from rxml.flow.kernel import Kernel
from rxml.flow.kinds import fold, label, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.stage import Stage
from rxml.flow.supervision import annotate, noted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from rxml.flow.chunk import Chunk
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.shapes import Same
    from rxml.flow.subscription import Subscription

A = TypeVar("A")


class _Tap(Kernel[A, A]):
    """Calls a function for each element, and one at the end."""

    stateless = True

    def __init__(
        self, on_next: Callable[[A], object] | None, on_completed: Callable[[], object] | None
    ) -> None:
        self._on_next = on_next
        self._on_completed = on_completed

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        on_next, append = self._on_next, out.append
        if on_next is None:
            out.extend(items)
            return
        for item in items:
            on_next(item)
            append(item)

    @override
    def flush(self) -> Iterable[A]:
        if self._on_completed is not None:
            self._on_completed()
        return ()


class _Behind(Stage[A]):
    """A stage that passes requests on to its one input; what it adds is in the subclasses."""

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._head: Subscription[A] | None = None

    @override
    async def pull(self, n: int) -> Chunk[A]:
        if self._head is None:
            self._head = self.env.open(self.node.sources[0])
        return await self._head.request(n)

    @override
    async def release(self) -> None:
        if self._head is not None:
            await self._head.cancel()


class _Watched(_Behind[A]):
    """Calls a function when upstream fails."""

    def __init__(self, env: Env, node: Node, on_error: Callable[[Exception], object]) -> None:
        super().__init__(env, node)
        self._on_error = on_error

    @override
    async def pull(self, n: int) -> Chunk[A]:
        try:
            return await super().pull(n)
        except Exception as error:
            self._tell(error)
            raise

    def _tell(self, error: Exception) -> None:
        try:
            self._on_error(error)
        except Exception as raised:  # noqa: BLE001 - takes the place of the first
            raise noted(raised, self.env.where(self.node)) from error


def do_action(
    on_next: Callable[[A], object] | None = None,
    on_error: Callable[[Exception], object] | None = None,
    on_completed: Callable[[], object] | None = None,
) -> Operator[A, A]:
    """Call functions for what they do, and let everything through.

    Marble:
        --1--2--3--|
        do_action(print)
        --1--2--3--|

    Demand: n elements for n.
    Buffers: nothing.
    Emits: each element, after `on_next` was called with it.
    Completes: with upstream, after `on_completed` was called.
    Fails: with upstream, after `on_error` was called; or when one of the functions raises, after the elements before.
    Cancels: upstream, at once; no function is called.
    Cost: one call an element.

    Args:
        on_next: called with each element, before it is let through.
        on_error: called with the error of upstream. What it raises takes the place of that error.
        on_completed: called at the end.

    Raises:
        TypeError: an argument is not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.do_action(print)).to_list())
        1
        2
        [1, 2]
    """
    permit_function("do_action(on_next)", on_next, "takes an element")
    permit_function("do_action(on_error)", on_error, "takes an error")
    permit_function("do_action(on_completed)", on_completed, "takes nothing")
    name = "do_action" if on_next is None else label("do_action", on_next)
    tap: Operator[A, A] = fold(
        name, lambda: _Tap(on_next, on_completed), cardinality=Cardinality.ONE, passes=True
    )
    if on_error is None:
        return tap
    tell = on_error
    watched: Operator[A, A] = stage(
        label("on_error", tell),
        lambda env, node: _Watched[A](env, node, tell),
        passes=True,
        checkpointing=Checkpointing.PASSES,
        cardinality=Cardinality.ONE,
    )
    return compose(watched, tap)


class _Finally(_Behind[A]):
    """Runs an action when the run is over, if it had begun."""

    def __init__(
        self, env: Env, node: Node, action: Callable[[], Awaitable[object] | object]
    ) -> None:
        super().__init__(env, node)
        self._action = action

    @override
    async def release(self) -> None:
        if self._head is not None:
            await self.release_all(self._head.cancel, self._finalize)

    async def _finalize(self) -> None:
        await self.finalize(self._act)

    async def _act(self) -> None:
        try:
            result = self._action()
            if inspect.isawaitable(result):
                await result
        except Exception as error:
            annotate(error, self.env.where(self.node))
            raise


def finally_action(action: Callable[[], Awaitable[Any] | object]) -> Same:
    """Run an action once the stream is over, however it ends.

    Marble:
        --1--2--3--|
        finally_action(close)
        --1--2--3--|      close() was called before the end is seen

    Demand: n elements for n.
    Buffers: nothing.
    Emits: each element.
    Completes: with upstream, after the action.
    Fails: with upstream, after the action. What the action raises is raised at the end of the run, and hides no other error.
    Cancels: upstream, at once; then the action runs to its end.
    Cost: next to nothing.

    Args:
        action: called with nothing, exactly once for each run that was begun, after everything upstream is closed. What
            it returns is awaited if it can be, so that it may be a coroutine function.

    Raises:
        TypeError: action cannot be called.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.finally_action(lambda: print("closed"))).to_list())
        closed
        [1, 2]
    """
    require_callable("finally_action", action, "is called when the stream is over")
    return stage(
        label("finally_action", action),
        lambda env, node: _Finally[Any](env, node, action),
        passes=True,
        checkpointing=Checkpointing.PASSES,
        cardinality=Cardinality.ONE,
    )
