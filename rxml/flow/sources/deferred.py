"""defer: a flow that is made anew for each run."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar, cast

from typing_extensions import override

from rxml.flow.check import require_callable
from rxml.flow.kinds import label, source
from rxml.flow.placing import flowable
from rxml.flow.stage import Stage
from rxml.flow.supervision import annotate

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.chunk import Chunk
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription

T = TypeVar("T")


def defer(factory: Callable[..., Flowable[T]]) -> Flowable[T]:
    """The flow that a function makes, called anew by each run at its first request.

    Args:
        factory: takes nothing; or, as reactivex calls it, a scheduler, which is None here.

    Raises:
        PipelineError: factory is not callable; or, when run, gives something else than a Flowable.
    """
    require_callable("defer", factory, "makes a Flowable")
    make = _without_scheduler(factory)
    return source(label("defer", factory), lambda env, node: DeferStage(env, node, make))


def _without_scheduler(factory: Callable[..., Flowable[T]]) -> Callable[[], Flowable[T]]:
    try:
        inspect.signature(factory).bind()
    except TypeError:
        return lambda: factory(None)
    except ValueError:  # a built-in that does not tell
        return factory
    return factory


class DeferStage(Stage[T]):
    """Makes the flow at the first request and passes requests on to it."""

    def __init__(self, env: Env, node: Node, make: Callable[[], Any]) -> None:
        super().__init__(env, node)
        self._make = make
        self._inner: Subscription[T] | None = None

    @override
    async def pull(self, n: int) -> Chunk[T]:
        if self._inner is None:
            self._inner = self._open()
        return await self._inner.request(n)

    def _open(self) -> Subscription[T]:
        try:
            flow = flowable(self._make(), self.node.spec.name)
        except Exception as error:
            annotate(error, self.env.where(self.node))
            raise
        return cast("Subscription[T]", self.env.inner(on_its_way=False).open(flow))

    @override
    async def release(self) -> None:
        if self._inner is not None:
            await self._inner.cancel()
