"""Operators that turn what a stream does into elements, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.chunk import END, Chunk
from rxml.flow.kernel import Kernel
from rxml.flow.kinds import fold, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.notification import OnCompleted, OnError, OnNext
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.flow.node import Env, Node
    from rxml.flow.notification import Notification
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription

A = TypeVar("A")

_VALUE: type[Any] = OnNext


class _Materialize(Stage[Any]):
    """Ends once it has told of the end or the failure of upstream."""

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._head: Subscription[Any] | None = None
        self._told = False

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._told:
            return END
        if self._head is None:
            self._head = self.env.open(self.node.sources[0])
        try:
            chunk = await self._head.request(n)
        except Exception as error:  # noqa: BLE001 - an element from here on
            self._told = True
            return Chunk([OnError(error)])
        if chunk.end:
            self._told = True
            return Chunk([OnCompleted()])
        return Chunk(list(map(OnNext, chunk.elements)), chunk.contexts, **chunk.signals())

    @override
    async def release(self) -> None:
        if self._head is not None:
            await self._head.cancel()


def materialize() -> Operator[A, Notification[A]]:
    """Turn elements, the end and the failure into elements: reactivex's notifications.

    Marble:
        --1--2--#
        materialize()
        --N1-N2-E|

    Demand: n elements for n.
    Buffers: nothing.
    Emits: `OnNext(element)` for each, then `OnCompleted()` or `OnError(error)`.
    Completes: after that last one.
    Fails: never.
    Cancels: upstream, at once.
    Cost: one object an element.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> [str(n) for n in asyncio.run(rxml.of("a").pipe(ops.materialize()).to_list())]
        ['OnNext(a)', 'OnCompleted()']
    """
    return stage("materialize", _Materialize, checkpointing=Checkpointing.PASSES)


class _Dematerialize(Kernel[Any, Any]):
    """Does what the notifications say."""

    @override
    def push(self, items: Iterator[Any], out: list[Any]) -> None:
        append = out.append
        for item in items:
            if type(item) is _VALUE:
                append(item.value)
                continue
            item.accept(append, _fail, self._finish)
            if self.finished:
                return

    def _finish(self) -> None:
        self.finished = True

    @override
    def snapshot(self) -> Any:
        return self.finished

    @override
    def restore(self, state: Any) -> None:
        self.finished = state


def _fail(error: Exception) -> None:
    raise error


def dematerialize() -> Operator[Notification[A], A]:
    """Do what notifications say: the reverse of `materialize`.

    Marble:
        --N1-N2-E-|
        dematerialize()
        --1--2--#

    Demand: n elements for n.
    Buffers: nothing.
    Emits: the value of each `OnNext`.
    Completes: at `OnCompleted`, or with upstream.
    Fails: at `OnError`, with its error; with upstream; or at an element that is no notification, with an AttributeError.
    Cancels: upstream, at once.
    Cost: next to nothing.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.materialize(), ops.dematerialize()).to_list())
        [1, 2]
    """
    return fold("dematerialize", _Dematerialize, cardinality=Cardinality.AT_MOST_ONE)
