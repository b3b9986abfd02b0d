"""ArmsStage: scoring by several models, each element by one of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import override

from rxml.batch import Batch
from rxml.errors import ModelError
from rxml.eventtime.reading import read
from rxml.flow.context import Outcome
from rxml.models.live.arm import Arm, Sent, unlike
from rxml.models.live.rendezvous import Rendezvous
from rxml.models.live.routed import require_names, routed
from rxml.models.scoring.intake import rows_of
from rxml.models.scoring.stage import ScoreStage, forget

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from rxml.eventtime.reading import Column
    from rxml.flow.chunk import Chunk
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.workers.turnstile import Entry
    from rxml.models.model import Edition, Model
    from rxml.models.scoring.crew import Crew
    from rxml.models.scoring.settings import Settings
    from rxml.models.scoring.waiting import Ask


class Parting(NamedTuple):
    """How elements are parted.

    Attributes:
        models: by the names of the arms; or flows of editions.
        key: of an element, its id: a column's name, or a function.
        seed: of the hash.
    """

    models: Mapping[str, Model | Flowable[Edition]]
    key: Column
    seed: int


class ArmsStage(ScoreStage):
    """What all stages of several arms have in common: elements wait before the arm that their id belongs to.

    Each arm has its own queue, workers and knowledge of what it costs; all share the room, and the order in which answers
    leave.

    Args:
        env: of the run.
        node: the stage.
        settings: of scoring; the model in it counts for nothing.
        parting: which models there are, and which ids each of them answers.

    Attributes:
        arms: in the order in which they were given.
        shares: of each arm, now.
    """

    def __init__(self, env: Env, node: Node, settings: Settings, parting: Parting) -> None:
        super().__init__(env, node, settings)
        own = (replace(settings, model=model) for model in parting.models.values())
        self.arms: tuple[Arm, ...] = tuple(
            Arm(name, number, self, env, node, settings=self.settings_of(number, each))
            for number, (name, each) in enumerate(zip(parting.models, own, strict=True))
        )
        self.shares: Sequence[float] = [1.0] + [0.0] * (len(self.arms) - 1)
        self._key = parting.key
        self._rendezvous = Rendezvous(tuple(parting.models), parting.seed)
        self.meter.gauge = lambda: (self._exits.held, self._oldest())

    def settings_of(self, number: int, settings: Settings) -> Settings:
        """How an arm scores."""
        del number
        return settings

    def required(self) -> Sequence[Arm]:
        """Those without which nothing is answered."""
        return self.arms

    def beside(self) -> Sequence[tuple[str, Coroutine[Any, Any, None]]]:
        """Tasks that run beside, with their names; what they raise must not matter."""
        return ()

    async def prepared(self) -> None:
        """Wait for what else must be there before the first element is taken."""

    def _oldest(self) -> float:
        now = self.env.clock.time()
        return max(arm.waiting.oldest(now) for arm in self.arms)

    @override
    def _begin(self) -> None:
        self._head = self.env.open(self.node.sources[0])
        name, required = self.node.spec.name, self.required()
        for arm in self.arms:
            run = self._staffed(arm.shift) if arm in required else self._optional(arm)
            self._scope.start(run, name=f"{name}: models of {arm.name}")
        for what, coroutine in self.beside():
            self._scope.start(coroutine, name=f"{name}: {what}")
        shift = _Together(self, required)
        self._scope.start(self._intake(self._head, shift), name=f"{name}: intake")

    async def _optional(self, arm: Arm) -> None:
        try:
            await arm.shift.run()
        except Exception as error:  # noqa: BLE001 - the others answer without it
            self.missing(arm, error)

    def missing(self, arm: Arm, error: Exception) -> None:
        """An arm that is not required has no model, and gets none."""

    @override
    async def release(self) -> None:
        self._cut = True
        self._prepared()
        for arm in self.arms:
            arm.dispatcher.staff(None)
        cancels = [] if self._head is None else [self._head.cancel]
        shifts = [arm.shift.close for arm in self.arms]
        await self.release_all(self._scope.aclose, *shifts, self._let_go, *cancels)

    @override
    def _forget(self, gone: set[Entry] | None = None) -> None:
        for arm in self.arms:
            forget(arm.dispatcher, arm.waiting, gone)

    @override
    def _asks(self, chunk: Chunk[Any], crew: Crew) -> list[Ask]:
        now, contexts, weight = self.env.clock.time(), chunk.contexts, crew.scales.coming
        return [
            Sent(item, context, rows_of(item), now, weight(item))
            for item, context in zip(chunk.elements, contexts or repeat(None), strict=False)
        ]

    @override
    def _queue(self, asks: list[Any]) -> None:
        keys = self._keys(asks)
        hashes = self._hashes(keys)
        for ask, key, hashed in zip(asks, keys, hashes, strict=True):
            if self._cut:
                break
            if isinstance(hashed, Exception):
                self.fail(ask, hashed)
                continue
            ask.key = key
            self.send(ask, self._rendezvous.pick(hashed, self.shares))
        for arm in self.arms:
            arm.dispatcher.run()

    def _keys(self, asks: Sequence[Sent]) -> Sequence[Any]:
        items: list[Any] = [_first(ask.item) for ask in asks]
        try:
            return list(read(items, self._key))
        except Exception:  # noqa: BLE001 - it is found which of them it is
            return [self._key_of(item) for item in items]

    def _key_of(self, item: Any) -> Any:
        try:
            return read([item], self._key)[0]
        except Exception as error:  # noqa: BLE001 - the element's own
            return error

    def _hashes(self, keys: Sequence[Any]) -> list[Any]:
        try:
            return list(self._rendezvous.hashes(keys))
        except Exception:  # noqa: BLE001 - it is found which of them it is
            return [self._hash(key) for key in keys]

    def _hash(self, key: Any) -> Any:
        if isinstance(key, Exception):
            return key
        try:
            return self._rendezvous.hashes([key])[0]
        except Exception as error:  # noqa: BLE001 - the element's own
            return error

    def send(self, ask: Sent, number: int) -> None:
        """Have it wait before an arm."""
        ask.propensity = self.shares[number]
        self.arms[number].waiting.put(ask)

    def answered(self, arm: Arm, asks: list[Any], answers: list[Any]) -> None:
        """See `Hall.answered`."""
        told = [
            (ask, routed(answer, arm.name, ask.propensity, ask.fell))
            for ask, answer in zip(asks, answers, strict=True)
            if not isinstance(answer, Exception)
        ]
        self.answer([ask for ask, _ in told], [answer for _, answer in told])
        for ask, answer in zip(asks, answers, strict=True):
            if isinstance(answer, Exception):
                self.failed(arm, ask, answer)

    def failed(self, arm: Arm, ask: Any, error: Exception) -> None:
        """See `Hall.failed`."""
        del arm
        self.fail(ask, error)

    def dropped(self, arm: Arm, ask: Any) -> None:
        """See `Hall.dropped`."""
        del arm
        self.drop(ask)


class _Together:
    """The shift of all arms that are required, as the intake wants one: there is a model once all of them have one."""

    def __init__(self, stage: ArmsStage, arms: Sequence[Arm]) -> None:
        self._stage = stage
        self._arms = arms

    @property
    def crew(self) -> Crew:
        return self._arms[0].shift.crew

    async def opened(self) -> None:
        """Wait until each of them has a model, and all are alike.

        Raises:
            ModelError: one cannot answer in the place of another.
        """
        for arm in self._arms:
            await arm.shift.opened()
        first = self.crew.signature
        require_names(self._stage.node.spec.name, first)
        for arm in self._arms[1:]:
            refusal = unlike(first, arm.shift.crew.signature)
            if refusal is not None:
                raise ModelError(f"the arm {arm.name!r} is no other model of the same: {refusal}")
        await self._stage.prepared()


def _first(item: Any) -> Any:
    """What the key is read of: a batch that is one element goes to one arm whole, by its first row."""
    return item[0] if isinstance(item, Batch) and len(item) else item


def taken(chunk: Chunk[Any]) -> None:
    """What came beside the elements has been gone by: who waits for it is told so."""
    for context in chunk.contexts or ():
        context.settled(Outcome.ANSWERED)
