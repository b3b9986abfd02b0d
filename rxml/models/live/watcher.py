"""Watcher: the shadow of a model, which befalls nobody."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rxml.flow.scope import Scope, in_turn, settled
from rxml.models.live.arm import Arm
from rxml.models.live.differing import Difference, ShadowTally, differ
from rxml.models.scoring.waiting import Ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.models.model import Edition, Model
    from rxml.models.scoring.place import Place
    from rxml.models.scoring.settings import Settings

_LOG: Final = logging.getLogger("rxml.models")

_LINGER: Final = 1.0
"""Seconds after the last answer in which the shadow may still come to an end."""

_NOTHING: Final = object()


class Shading(NamedTuple):
    """What `ops.shadow` was told of the shadow; see there."""

    model: Model | Flowable[Edition]
    place: Place
    share: float
    tolerance: float
    most: int
    on_difference: Callable[[Difference], Any] | None
    tally: ShadowTally


class Copy(Ask):
    """An element as the shadow has it.

    Attributes:
        element: it.
        answer: of the model, once it is there.
        other: of the shadow, once it is there; an error if it failed.
    """

    __slots__ = ("answer", "element", "other")

    def __init__(self, original: Ask) -> None:
        super().__init__(original.item, None, original.rows, original.arrived, original.weight)
        self.element: Any = original.item
        self.answer: Any = _NOTHING
        self.other: Any = _NOTHING


class Watcher:
    """Has the shadow score copies of elements, and compares. What befalls it befalls nobody else.

    Args:
        env: of the stage.
        node: the stage.
        settings: of scoring by the shadow.
        shading: what else is to be known.
    """

    def __init__(self, env: Env, node: Node, settings: Settings, shading: Shading) -> None:
        self._env = env
        self._name = node.spec.name
        self._shading = shading
        self._arm = Arm("shadow", 0, self, env, node, settings=settings)
        self._scope = Scope()
        self._held = 0
        self._due = 0.0
        self._empty: asyncio.Future[None] | None = None
        self._leaving: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Have its model loaded."""
        self._scope.start(self._staffed(), name=f"{self._name}: models of the shadow")
        self._undo = self._env.at_end(self.left)

    async def _staffed(self) -> None:
        try:
            await self._arm.shift.run()
        except Exception as error:  # noqa: BLE001 - nobody waits for it
            _LOG.warning("%s: the shadow has no model: %r", self._name, error)

    def copy(self, ask: Ask, *, busy: bool) -> Copy | None:
        """A copy that waits for the shadow; None if it is to see this one not, or is spared it.

        Args:
            ask: what the model has.
            busy: the model has much to do.
        """
        self._due += self._shading.share
        if self._due < 1.0:
            return None
        self._due -= 1.0
        if busy or self._held >= self._shading.most or self._arm.crew is None:
            self._shading.tally.shed += 1
            return None
        copy = Copy(ask)
        self._held += copy.rows
        self._arm.waiting.put(copy)
        return copy

    def run(self) -> None:
        """Have it begin, on a later turn of the loop: the model goes first."""
        if self._arm.waiting:
            asyncio.get_running_loop().call_soon(self._arm.dispatcher.run)

    def compare(self, copy: Copy, answer: Any) -> None:
        """The model has answered; compare, if the shadow has."""
        copy.answer = answer
        if copy.other is not _NOTHING:
            self._compared(copy)

    def answered(self, arm: Arm, asks: list[Any], answers: list[Any]) -> None:
        """See `Hall.answered`."""
        del arm
        for copy, other in zip(asks, answers, strict=True):
            self._came(copy, other)

    def failed(self, arm: Arm, ask: Any, error: Exception) -> None:
        """See `Hall.failed`."""
        del arm
        self._came(ask, error)

    def dropped(self, arm: Arm, ask: Any) -> None:
        """See `Hall.dropped`."""
        del arm
        self._let_go(ask.rows)

    def part(self, ask: Ask) -> list[Ask]:
        """See `Desk.part`."""
        return [ask]

    def split(self, slab: Ask, rows: int) -> Ask:
        """See `Desk.split`; a copy is no slab, whatever it is one of."""
        del rows
        return slab

    def _came(self, copy: Copy, other: Any) -> None:
        self._let_go(copy.rows)
        copy.other = other
        if copy.answer is not _NOTHING:
            self._compared(copy)

    def _let_go(self, rows: int) -> None:
        self._held -= rows
        if self._held == 0 and self._empty is not None and not self._empty.done():
            self._empty.set_result(None)

    def _compared(self, copy: Copy) -> None:
        tally, other = self._shading.tally, copy.other
        error = other if isinstance(other, Exception) else None
        tally.compared += 1
        tally.failed += error is not None
        try:
            if error is None and not differ(copy.answer, other, self._shading.tolerance):
                return
            tally.different += 1
            self._tell(copy, None if error is not None else other, error)
        except Exception as raised:  # noqa: BLE001 - whoever looks on must not stop the work
            _LOG.warning("%s: a difference could not be told: %r", self._name, raised)

    def _tell(self, copy: Copy, other: Any, error: Exception | None) -> None:
        if self._shading.on_difference is not None:
            crew = self._arm.crew
            shadow = None if crew is None else crew.release
            self._shading.on_difference(Difference(copy.element, copy.answer, other, error, shadow))

    def leave(self, *, hurry: bool) -> None:
        """No element follows; it comes to an end by itself, before the run does.

        Args:
            hurry: what it has not done yet is worth nothing.
        """
        self._leaving = self._scope.spawn(self._leave(hurry=hurry), name=f"{self._name}: shadow")

    async def _leave(self, *, hurry: bool) -> None:
        arm = self._arm
        if self._held and not hurry:
            self._empty = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._empty], timeout=_LINGER)
        arm.dispatcher.staff(None)
        arm.dispatcher.clear()
        await in_turn([self._scope.aclose, arm.shift.close], self._env.report)
        self._undo()

    async def left(self) -> None:
        """Wait until it has come to its end."""
        if self._leaving is not None:
            await settled([self._leaving])
