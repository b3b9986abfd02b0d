"""Stages that open their input again: after its end, or after a failure."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.errors import RetryExhaustedError
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.dropping import dropped
from rxml.flow.rising import Rising
from rxml.flow.stage import Stage
from rxml.flow.supervision import annotate
from rxml.flow.timing.waiting import rung

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription
    from rxml.resilience.retrying import Backoff, RetryBudget


class ReopenStage(Stage[Any]):
    """Opens its input as often as it takes, each time only after the time before has been closed.

    Attributes:
        opened: how often.
        drained: set when the run is drained: nothing is opened any more.
        rising: keeps watermarks from going back.
    """

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self.opened: int = 0
        self.drained: asyncio.Event = asyncio.Event()
        self.rising: Rising = Rising()
        self._inlet: Subscription[Any] | None = None
        self._forget: Callable[[], None] | None = None
        self._delist = env.enlist(self.drained.set, endless=True)

    def inlet(self) -> Subscription[Any]:
        """The input as it is open now; opened if it is not."""
        if self._inlet is None:
            self.opened += 1
            self._inlet, self._forget = self.env.reopen(self.node.sources[0])
        return self._inlet

    async def close_inlet(self) -> None:
        """Close the input; the next `inlet` opens another."""
        if self._inlet is not None:
            await self._inlet.cancel()
            self._inlet = None
            if self._forget is not None:
                self._forget()

    @override
    async def release(self) -> None:
        self._delist()
        await self.close_inlet()


class RepeatStage(ReopenStage):
    """Opens its input again when it has ended."""

    def __init__(self, env: Env, node: Node, count: int | None) -> None:
        super().__init__(env, node)
        self._count = count

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        while self._inlet is not None or self._again():
            chunk = await self.inlet().request(n)
            if chunk.end:
                await self.close_inlet()
            elif (passed := self.rising.passed(chunk)) is not None:
                return passed
            if self.env.clock.held:
                await self.env.clock.breathe()
        return END

    def _again(self) -> bool:
        return not self.drained.is_set() and (self._count is None or self.opened < self._count)


@dataclass(frozen=True, slots=True)
class Patience:
    """What a retry does after which error.

    Attributes:
        count: attempts, the first included; None: without limit.
        backoff: waits between them; None: none.
        jitter: draws from the waits; None: they are as they are.
        budget: shared with others; None: none.
        on: which errors are worth another attempt.
        resume: leave out of a further attempt as many elements as have come out already.
    """

    count: int | None
    backoff: Backoff | None
    jitter: Random | None
    budget: RetryBudget | None
    on: Callable[[Exception], object]
    resume: bool


class RetryStage(ReopenStage):
    """Opens its input again when it has failed."""

    def __init__(self, env: Env, node: Node, patience: Patience) -> None:
        super().__init__(env, node)
        self._patience = patience
        self._failures = 0
        self._began = 0.0
        self._resumes_at: float | None = None
        self._emitted = 0
        self._skip = 0

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        while True:
            if self._resumes_at is not None:
                await self.close_inlet()
                if not await self._wait_turn(self._resumes_at):
                    return END
            try:
                chunk = await self._request(n)
            except Exception as error:  # noqa: BLE001 - raised again unless another attempt is worth it
                self._reconsider(error)
            else:
                if chunk is not None:
                    return chunk

    @override
    def inlet(self) -> Subscription[Any]:
        if self._inlet is None:
            self._began = self.env.clock.time()
            if not self.opened and self._patience.budget is not None:
                self._patience.budget.deposit(self._began)
        return super().inlet()

    async def _request(self, n: int) -> Chunk[Any] | None:
        """A chunk; None if all that was in it had come out before."""
        chunk = await self.inlet().request(min(self._skip, CHUNK) or n)
        count = len(chunk.elements)
        if self._skip:
            self._skip -= count
            dropped(chunk)
            return chunk if chunk.end else None
        self._emitted += count
        return self.rising.passed(chunk)

    def _reconsider(self, error: Exception) -> None:
        """Decide when the next attempt is due, or raise the error."""
        patience, clock = self._patience, self.env.clock
        self.meter.failed += 1
        if not self._worthwhile(error):
            raise error
        if patience.count is not None and self.opened >= patience.count:
            if patience.count > 1:
                error.add_note(f"the last of {patience.count} attempts")
            raise error
        if patience.budget is not None and not patience.budget.withdraw(clock.time()):
            message = f"retry: after attempt {self.opened} the retry budget is spent"
            exhausted = RetryExhaustedError(message)
            annotate(exhausted, self.env.where(self.node))
            raise exhausted from error
        self._resumes_at = clock.time() + self._wait()
        self._skip = self._emitted if patience.resume else 0

    def _worthwhile(self, error: Exception) -> bool:
        try:
            return bool(self._patience.on(error))
        except Exception as own:
            annotate(own, self.env.where(self.node))
            raise

    def _wait(self) -> float:
        backoff = self._patience.backoff
        if backoff is None:
            return 0.0
        if self.env.clock.time() - self._began > backoff.most:
            self._failures = 0
        failures, self._failures = self._failures, self._failures + 1
        return backoff.wait(failures, self._patience.jitter)

    async def _wait_turn(self, moment: float) -> bool:
        """Wait until the next attempt is due; False if there will be none."""
        clock = self.env.clock
        while clock.time() < moment and not self.drained.is_set():
            await rung(self.drained, moment)
        if clock.held:
            await clock.breathe()
        if self.drained.is_set():
            return False
        self._resumes_at = None
        return True
