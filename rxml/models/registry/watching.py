"""Watching: which version an alias shows, and each change of that."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from typing_extensions import override

from rxml.flow.chunk import END, Chunk
from rxml.flow.kinds import mark, source
from rxml.flow.node import Checkpointing
from rxml.flow.scope import finished, settled
from rxml.flow.stage import Stage
from rxml.flow.timing.waiting import rung
from rxml.models.registry.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.models.registry.references import Reference


def watching(
    reference: Reference, find: Callable[[], Version | None], every: float
) -> Flowable[Version]:
    """The version that is found, and then each other one that is found later.

    What the version that is there now wants and gives is known of the flow, if it is built while no event loop runs here:
    looking takes files.

    Args:
        reference: that is watched; one that names a version gives that and ends.
        find: looks, in a thread of its own; None while there is none.
        every: seconds between two looks.
    """
    flow = source(
        f"watch({reference})",
        lambda env, node: WatchStage(env, node, find, every, once=bool(reference.version)),
        checkpointing=Checkpointing.PASSES,
    )
    version = None if _on_loop() else find()
    return (
        flow if version is None else flow.pipe(mark(f"signature of {version}", version.signature))
    )


def _on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class WatchStage(Stage[Version]):
    """Looks only while somebody waits: who is slow gets the latest, and none of those between."""

    def __init__(
        self,
        env: Env,
        node: Node,
        find: Callable[[], Version | None],
        every: float,
        *,
        once: bool,
    ) -> None:
        super().__init__(env, node)
        self._find = find
        self._every = every
        self._once = once
        self._drained = asyncio.Event()
        self._delist = env.enlist(self._drained.set, endless=True)
        self._thread: ThreadPoolExecutor | None = None
        self._looking: asyncio.Future[Version | None] | None = None
        self._shown: tuple[str, str] | None = None
        self._due: float | None = None

    @override
    async def pull(self, n: int) -> Chunk[Version]:
        del n
        clock = self.env.clock
        while not (self._drained.is_set() or (self._once and self._shown)):
            if self._due is not None and clock.time() < self._due:
                await rung(self._drained, self._due)
                continue
            found = await self._look()
            self._due = clock.time() + self._every
            if found is not None and (found.version, found.digest) != self._shown:
                self._shown = found.version, found.digest
                return Chunk([found])
        return END

    async def _look(self) -> Version | None:
        """What the thread finds; a look that nobody waits for any more is taken by the next request."""
        if self._looking is None:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, thread_name_prefix=self.node.spec.name)
            loop = asyncio.get_running_loop()
            self._looking = loop.run_in_executor(self._thread, self._find)
        await finished(self._looking)
        looking, self._looking = self._looking, None
        return looking.result()

    @override
    async def release(self) -> None:
        self._delist()
        if self._thread is None:
            return
        try:
            if self._looking is not None:
                await settled([self._looking])
                self._looking.exception()  # nobody waits for what it found, nor hears why it found nothing
        finally:
            self._thread.shutdown(wait=False)
