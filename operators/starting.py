"""The operator that puts elements in front of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.kinds import label, stage
from rxml.flow.node import Checkpointing
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription

A = TypeVar("A")
B = TypeVar("B")


class _StartWith(Stage[Any]):
    """Gives the values, then opens upstream."""

    def __init__(self, env: Env, node: Node, values: tuple[Any, ...]) -> None:
        super().__init__(env, node)
        self._values = values
        self._at = 0
        self._head: Subscription[Any] | None = None

    @override
    def restore(self, state: Any) -> None:
        """A barrier comes from upstream, which is opened when all values are gone."""
        self._at = len(self._values)

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._at < len(self._values):
            start = self._at
            self._at = min(len(self._values), start + min(n, CHUNK))
            return Chunk(list(self._values[start : self._at]))
        if self._head is None:
            self._head = self.env.open(self.node.sources[0])
        return await self._head.request(n)

    @override
    async def release(self) -> None:
        if self._head is not None:
            await self._head.cancel()


def start_with(*args: B) -> Operator[A, A | B]:
    """Give some values, then the elements.

    Marble:
        -----1--2--|
        start_with(0)
        0----1--2--|

    Demand: none for the values; then n elements for n.
    Buffers: nothing.
    Emits: the values in order, at once; then each element. Upstream is opened when the values are gone.
    Completes: with upstream.
    Fails: with upstream.
    Cancels: upstream, at once.
    Cost: next to nothing.

    Args:
        *args: the values.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.start_with(0)).to_list())
        [0, 1, 2]
    """
    return stage(
        label("start_with", *args),
        lambda env, node: _StartWith(env, node, args),
        checkpointing=Checkpointing.SAVED,
    )
