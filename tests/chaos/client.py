"""A client that keeps asking, and writes down how each element ends; a bystander whose state must not change."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override

from rxml import operators as ops
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.context import Context, Outcome
from rxml.flow.kinds import source
from rxml.flow.run import Run
from rxml.flow.service import Service
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator


class _Asked(Stage[Any]):
    """Gives what was asked, with contexts."""

    def __init__(self, env: Env, node: Node, waiting: deque[Any], bell: asyncio.Event) -> None:
        super().__init__(env, node)
        self._waiting = waiting
        self._bell = bell

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        while not self._waiting:
            self._bell.clear()
            await self._bell.wait()
        taken = [self._waiting.popleft() for _ in range(min(n, len(self._waiting)))]
        if taken[-1] is None:
            return END
        return Chunk([item for item, _ in taken], [context for _, context in taken])


class Client:
    """Runs an operator inside `async with`, under `supervise("resume")`; elements are `{"x": number}`.

    Args:
        operator: one result for each element.
        within: seconds in which each answer is wanted.

    Attributes:
        ends: of each element, each time that it was said to have ended.
        answers: by the element's number.
    """

    def __init__(self, operator: Operator[Any, Any], *, within: float = 5.0) -> None:
        self._waiting: deque[Any] = deque()
        self._bell = asyncio.Event()
        asked = source("asked", lambda env, node: _Asked(env, node, self._waiting, self._bell))
        self._flow = asked.pipe(operator, ops.supervise("resume"))
        self._within = within
        self._ended: dict[int, asyncio.Future[None]] = {}
        self.ends: dict[int, list[Outcome]] = {}
        self.answers: dict[int, Any] = {}

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._waiting.append(None)
        self._bell.set()
        await self._reader

    async def _read(self) -> None:
        async with Run[Any](self._flow) as run:
            while not (chunk := await run.subscription.request(CHUNK)).end:
                for answer, context in zip(chunk.elements, chunk.contexts or (), strict=True):
                    assert context.fact_id is not None
                    self.answers[int(context.fact_id)] = answer
                    context.settled(Outcome.ANSWERED)

    def _settle(self, number: int, outcome: Outcome) -> None:
        self.ends[number].append(outcome)
        ended = self._ended.get(number)
        if ended is not None and not ended.done():
            ended.set_result(None)

    async def ask(self) -> Any:
        """The answer to one more element, once it has ended; None if there is none."""
        number, loop = len(self.ends), asyncio.get_running_loop()
        self.ends[number], self._ended[number] = [], loop.create_future()
        context = Context(
            str(number), None, loop.time() + self._within, 0, partial(self._settle, number)
        )
        self._waiting.append(({"x": float(number)}, context))
        self._bell.set()
        await self._ended[number]
        del self._ended[number]
        return self.answers.get(number)

    async def keep_asking(self, count: int, *, at_once: int = 5) -> list[Any]:
        """The answers to so many elements."""
        answers: list[Any] = []
        for _ in range(count // at_once):
            answers += await asyncio.gather(*(self.ask() for _ in range(at_once)))
        return answers

    async def until_answered(self, name: str) -> None:
        """Ask until the model of that name answers."""
        while who(await self.ask()) != name:  # noqa: ASYNC110 - nothing else tells when it does
            await asyncio.sleep(0.01)

    def outcomes(self) -> Counter[Outcome]:
        """How the elements have ended; each must have done so once."""
        assert {number: each for number, each in self.ends.items() if len(each) != 1} == {}
        return Counter(end for (end,) in self.ends.values())

    def require_right(self) -> None:
        """All that was answered is right: twice the element's number."""
        wrong = {n: each for n, each in self.answers.items() if each.value != 2.0 * n}
        assert wrong == {}


def who(answer: Any) -> str:
    """The model of a prediction, or the arm of an answer."""
    return str(answer.name if isinstance(answer, ops.Answer) else answer["model"])


class Bystander:
    """Another component of the same process, which sums up what it is asked: nothing may happen to its state."""

    def __init__(self) -> None:
        self._service: Service[Any, Any] = Service(ops.scan(_add, 0))
        self._count = 0

    async def __aenter__(self) -> Self:
        self._service.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._service.aclose()

    async def require_unharmed(self) -> None:
        """Its state is what it was, and it goes on."""
        self._count += 1
        assert await self._service.ask(self._count) == self._count * (self._count + 1) // 2


def _add(total: int, x: int) -> int:
    return total + x
