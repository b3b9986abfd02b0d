"""Stages of two flows, one after the other."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from rxml.flow.chunk import END
from rxml.flow.placing import flowable
from rxml.flow.rising import Rising
from rxml.flow.stage import Stage
from rxml.flow.supervision import annotate

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.chunk import Chunk
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class SuccessionStage(Stage[Any]):
    """One flow, then another, which stands beside it or is made of what became of the first."""

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._rising = Rising()
        self.first: Subscription[Any] | None = None
        self.second: Subscription[Any] | None = None

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        while (chunk := self._rising.passed(await self.ask(n))) is None:
            pass
        return chunk

    @abstractmethod
    async def ask(self, n: int) -> Chunk[Any]:
        """`pull`, with watermarks that may go back."""

    def open_first(self) -> Subscription[Any]:
        """The first flow, opened if it is not."""
        if self.first is None:
            self.first = self.env.open(self.node.sources[0])
        return self.first

    async def open_second(self, make: Callable[[], Any] | None) -> Subscription[Any]:
        """The second flow, opened if it is not, after the first has been closed."""
        if self.second is None:
            await self.open_first().cancel()
            self.second = self._made(make) if make else self.env.open(self.node.sources[1])
        return self.second

    def _made(self, make: Callable[[], Any]) -> Subscription[Any]:
        try:
            flow = flowable(make(), self.node.spec.name)
        except Exception as error:
            annotate(error, self.env.where(self.node))
            raise
        return self.env.inner(on_its_way=False).open(flow)

    @override
    async def release(self) -> None:
        opened = [each for each in (self.second, self.first) if each is not None]
        await self.release_all(*(each.cancel for each in opened))


class CatchStage(SuccessionStage):
    """Passes the first flow on until it fails.

    Args:
        caught: which errors end the first flow only.
        handler: makes the second flow of the error and the first flow; None: it stands beside the first.
    """

    def __init__(
        self,
        env: Env,
        node: Node,
        caught: Callable[[Exception], object],
        handler: Callable[[Exception, Flowable[Any]], Any] | None = None,
    ) -> None:
        super().__init__(env, node)
        self._caught = caught
        self._handler = handler
        self._error: Exception | None = None

    @override
    async def ask(self, n: int) -> Chunk[Any]:
        if self._error is None:
            try:
                return await self.open_first().request(n)
            except Exception as error:
                if not self._counts(error):
                    raise
                self._error = error
                self.meter.failed += 1
        second = await self.open_second(self._maker(self._error))
        return await second.request(n)

    def _maker(self, error: Exception) -> Callable[[], Any] | None:
        handler = self._handler
        if handler is None:
            return None
        source = cast("Flowable[Any]", self.node.sources[0])
        return lambda: handler(error, source)

    def _counts(self, error: Exception) -> bool:
        try:
            return bool(self._caught(error))
        except Exception as own:
            annotate(own, self.env.where(self.node))
            raise


class ResumeNextStage(SuccessionStage):
    """Passes the first flow on, then the second, whatever ends them.

    Args:
        make: makes the second flow of the first one's error; None: it stands beside the first.
    """

    def __init__(
        self, env: Env, node: Node, make: Callable[[Exception | None], Any] | None = None
    ) -> None:
        super().__init__(env, node)
        self._make = make
        self._over = False
        self._error: Exception | None = None

    @override
    async def ask(self, n: int) -> Chunk[Any]:
        if not self._over:
            chunk = await self._tried(self.open_first(), n)
            if not chunk.end:
                return chunk
            self._over = True
        make, error = self._make, self._error
        second = await self.open_second(None if make is None else lambda: make(error))
        return await self._tried(second, n)

    async def _tried(self, flow: Subscription[Any], n: int) -> Chunk[Any]:
        try:
            return await flow.request(n)
        except Exception as error:  # noqa: BLE001 - a failure is as good as an end here
            self.meter.failed += 1
            self._error = error
            return END
