"""LoggedStage: a stage that notes all that is asked of it and all that it answers."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import TYPE_CHECKING, TypeVar

from typing_extensions import override

from rxml.flow.stage import Stage, State
from rxml.testing.timeline import Kind

if TYPE_CHECKING:
    from rxml.flow.chunk import Chunk
    from rxml.flow.node import Env, Node
    from rxml.testing.timeline import Timeline

T = TypeVar("T")


class LoggedStage(Stage[T]):
    """Keeps the rules as every `Stage` does, and notes in a timeline what was asked and answered.

    A request that breaks a rule (not a positive int, concurrent, after a failure) is noted as MISUSE.
    """

    def __init__(self, env: Env, node: Node, timeline: Timeline, lane: str) -> None:
        super().__init__(env, node)
        self._timeline = timeline
        self._lane = lane
        self._failure: Exception | None = None
        self._opened = False

    @abstractmethod
    async def play(self, n: int) -> Chunk[T]:
        """What other stages do in `pull`."""

    async def close(self) -> None:
        """What other stages do in `release`."""

    @override
    async def pull(self, n: int) -> Chunk[T]:
        if not self._opened:
            self._opened = True
            self._note(Kind.OPENED)
        try:
            return await self.play(n)
        except Exception as error:
            self._failure = error
            raise

    @override
    async def release(self) -> None:
        try:
            await self.close()
        finally:
            if self._opened:
                self._note(Kind.RELEASED)

    @override
    async def request(self, n: int) -> Chunk[T]:
        self._note(Kind.REQUEST, n)
        try:
            chunk = await super().request(n)
        except asyncio.CancelledError:
            self._note(Kind.INTERRUPTED)
            raise
        except Exception as error:
            self._note(Kind.ERROR if error is self._failure else Kind.MISUSE, error)
            raise
        if self.state is State.CANCELLED:
            self._note(Kind.INTERRUPTED)
        elif chunk.end:
            self._note(Kind.END)
        else:
            self._note(Kind.CHUNK, chunk)
        return chunk

    @override
    async def cancel(self) -> None:
        if self.state is State.OPEN:
            self._note(Kind.CANCEL)
        await super().cancel()

    def _note(self, kind: Kind, value: object = None) -> None:
        self._timeline.add(self._lane, kind, value)
