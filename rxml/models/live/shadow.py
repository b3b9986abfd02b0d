"""ShadowStage: scoring by one model, while another one is given the same elements and answers nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.flow.stage import State
from rxml.models.live.watcher import Watcher
from rxml.models.scoring.stage import ScoreStage

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.flow.workers.turnstile import Entry
    from rxml.models.live.watcher import Copy, Shading
    from rxml.models.scoring.settings import Settings
    from rxml.models.scoring.waiting import Ask

_BUSY: Final = 0.6
"""Of the room for elements: with more held than that, the shadow is spared further ones."""


class ShadowStage(ScoreStage):
    """See `ops.shadow`.

    Args:
        env: of the run.
        node: the stage.
        settings: of scoring.
        shading: what is to be known of the shadow.
    """

    def __init__(self, env: Env, node: Node, settings: Settings, shading: Shading) -> None:
        super().__init__(env, node, settings)
        own = replace(
            settings, model=shading.model, release=None, place=shading.place, on_swap=None
        )
        self._watcher = Watcher(env, node, own, shading)
        self._copies: dict[Ask, Copy] = {}

    @override
    def _begin(self) -> None:
        super()._begin()
        self._watcher.begin()

    @override
    def _queue(self, asks: list[Ask]) -> None:
        busy = self._exits.held > _BUSY * self._settings.capacity
        for ask in asks:
            copy = self._watcher.copy(ask, busy=busy)
            if copy is not None:
                self._copies[ask] = copy
        super()._queue(asks)
        self._watcher.run()

    @override
    def answer(self, asks: list[Ask], answers: list[Any]) -> None:
        copies = self._copies
        if copies:
            for ask, answer in zip(asks, answers, strict=True):
                copy = copies.pop(ask, None)
                if copy is not None and not isinstance(answer, Exception):
                    self._watcher.compare(copy, answer)
        super().answer(asks, answers)

    @override
    def fail(self, ask: Ask, error: Exception) -> None:
        self._copies.pop(ask, None)
        super().fail(ask, error)

    @override
    def drop(self, ask: Ask) -> None:
        self._copies.pop(ask, None)
        super().drop(ask)

    @override
    def part(self, ask: Ask) -> list[Ask]:
        self._copies.pop(ask, None)
        return super().part(ask)

    @override
    def split(self, slab: Ask, rows: int) -> Ask:
        self._copies.pop(slab, None)
        return super().split(slab, rows)

    @override
    def _forget(self, gone: set[Entry] | None = None) -> None:
        self._copies.clear()
        super()._forget(gone)

    @override
    async def release(self) -> None:
        watcher, ended = self._watcher, self.state is State.ENDED
        if self._head is not None:
            watcher.leave(hurry=not ended)
        await super().release()
        if not ended:
            await watcher.left()
