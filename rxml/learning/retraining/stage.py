"""RetrainStage: elements pass, and models are trained beside them."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.errors import AliasMovedError, RegistryError
from rxml.flow.context import Outcome
from rxml.learning.label import without_labels
from rxml.learning.retraining.beside import JobStage
from rxml.learning.retraining.kernel import RetrainingReport
from rxml.learning.retraining.rows import LatestRows, batch_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.event_time import EventTime
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription
    from rxml.learning.facade import LearningConfig, LearningResult, ModelLearning, Training
    from rxml.learning.retraining.gates import Gate
    from rxml.learning.retraining.kernel import Retraining
    from rxml.models.artefacts.manifest import FactRange
    from rxml.models.registry import Registry, Version

    Bools = NDArray[np.bool_]

_LOG: Final = logging.getLogger("rxml.learning")


@dataclass(frozen=True, slots=True)
class When:
    """What asks for a training; see `ops.retrain`.

    Attributes:
        every: elements; 0: never for that.
        asks: of an element; None: none does.
        event_time: of elements; None: they have none that counts.
        span: of event time, in ns; 0: never for that.
    """

    every: int
    asks: Callable[[Any], object] | None
    event_time: EventTime | None
    span: int


@dataclass(frozen=True, slots=True)
class What:
    """What is trained, and what becomes of it; see `ops.retrain`."""

    learning: ModelLearning
    config: LearningConfig
    rows: int
    facts: Callable[[], FactRange] | None
    gates: tuple[Gate, ...]
    registry: Registry | None
    name: str
    alias: str
    told: Retraining


class RetrainStage(JobStage):
    """See `ops.retrain`.

    Args:
        env: of the run.
        node: the stage.
        when: a training is asked for.
        what: is trained.
    """

    def __init__(self, env: Env, node: Node, when: When, what: What) -> None:
        super().__init__(env, node)
        self._when = when
        self._what = what
        self._rows = LatestRows(what.rows)
        self._count = 0
        self._period: int | None = None

    @override
    def see(self, items: Sequence[Any]) -> None:
        rows = without_labels(items)
        if not len(rows):
            return
        asked, period = self._scheduled(rows)
        asked = asked | self._wanted(rows)
        self._period = period
        start = 0
        for at in np.flatnonzero(asked).tolist():
            self._pass(rows[start : at + 1])
            start = at + 1
            self._ask()
        self._pass(rows[start:])

    def _wanted(self, rows: Sequence[Any]) -> Bools:
        """Behind which of these a training is asked for, by their number or for themselves."""
        every, asks = self._when.every, self._when.asks
        numbers = self._count + 1 + np.arange(len(rows))
        wanted: Bools = numbers % every == 0 if every else np.zeros(len(rows), np.bool_)
        if asks is not None:
            wanted |= np.array([bool(asks(row)) for row in rows])
        return wanted

    def _scheduled(self, rows: Sequence[Any]) -> tuple[Bools, int | None]:
        """Behind which of these event time has come into another period, and in which it is then."""
        event_time = self._when.event_time
        if event_time is None:
            return np.zeros(len(rows), np.bool_), None
        periods = event_time.of(rows) // self._when.span
        before = int(periods[0]) if self._period is None else self._period
        latest = np.maximum.accumulate(np.concatenate([[before], periods]))
        return np.diff(latest) > 0, int(latest[-1])

    def _pass(self, rows: Sequence[Any]) -> None:
        self._count += len(rows)
        self._rows.add(rows)

    def _ask(self) -> None:
        if self.busy:
            report = RetrainingReport("skipped", "a training was under way", self._count)
            self._what.told.tell(report)
            return
        self.start(partial(self._retrain, self._count, self._rows.parts()))

    @override
    def beside(self, *others: Subscription[Any]) -> Sequence[Coroutine[Any, Any, None]]:
        return [self._follow(other) for other in others]

    async def _follow(self, other: Subscription[Any]) -> None:
        """Each element of the other flow asks for a training; if it fails, nothing does any more."""
        try:
            while not (chunk := await other.request(1)).end:
                for context in chunk.contexts or ():
                    context.settled(Outcome.ANSWERED)
                for _ in chunk.elements:
                    self._ask()
                if chunk.barrier is not None:
                    await self.barred()
        except Exception as error:  # noqa: BLE001 - elements must not suffer from it
            _LOG.warning("%s: what asks for it has failed: %r", self.node.spec.name, error)

    async def _retrain(self, seen: int, parts: Sequence[Sequence[Any]]) -> None:
        try:
            report = await self._report(seen, parts)
        except Exception as error:  # noqa: BLE001 - told; elements must not suffer from it
            report = RetrainingReport("failed", f"{type(error).__name__}: {error}", seen)
        self._what.told.tell(report)

    async def _report(self, seen: int, parts: Sequence[Sequence[Any]]) -> RetrainingReport:
        what = self._what
        config, facts = what.config, what.facts
        if facts is not None:
            config = replace(config, facts=await asyncio.to_thread(facts))
        data = await asyncio.to_thread(batch_of, parts) if parts else None
        training = what.learning.start(config, data, on_progress=what.told.further)
        result = await self._result(training)
        if not result.trained:
            return RetrainingReport("failed", result.reason, seen, result)
        try:
            return await self._decided(seen, result)
        except RegistryError as error:
            return RetrainingReport("rejected", str(error), seen, result)
        except Exception as error:  # noqa: BLE001 - told, with the model that there is nevertheless
            return RetrainingReport("failed", f"{type(error).__name__}: {error}", seen, result)

    async def _decided(self, seen: int, result: LearningResult) -> RetrainingReport:
        registry = self._what.registry
        if reason := await self._refusal(result):
            return RetrainingReport("rejected", reason, seen, result)
        if registry is None:
            return RetrainingReport("trained", "", seen, result)
        version, why = await asyncio.to_thread(self._published, registry, result)
        return RetrainingReport("published", why, seen, result, version)

    async def _result(self, training: Training) -> LearningResult:
        told = self._what.told
        told.began(training)
        try:
            return await training.result()
        except asyncio.CancelledError:
            await training.stopped()
            raise
        finally:
            told.ended(training)

    async def _refusal(self, result: LearningResult) -> str:
        for gate in self._what.gates:
            if reason := await asyncio.to_thread(gate, result):
                return reason
        return ""

    def _published(self, registry: Registry, result: LearningResult) -> tuple[Version, str]:
        """In a thread: the model as a version, and why the alias is not on it, "" if it is."""
        name, alias = self._what.name, self._what.alias
        version = registry.publish(name, result.artefact or "", **result.about())
        try:
            return version, _shown(registry, alias, version) if alias else ""
        except RegistryError as error:
            return version, f"{alias} was not moved: {error}"

    @override
    def snapshot(self) -> Any:
        return [self._count, self._period, self._rows.snapshot()]

    @override
    def restore(self, state: Any) -> None:
        self._count, self._period, rows = state
        self._rows.restore(rows)


def _shown(registry: Registry, alias: str, version: Version) -> str:
    """Have the alias show the version, unless it shows a newer one by then; why it does not."""
    while True:
        shown = registry.aliases(version.name).get(alias)
        if shown is not None and int(shown.version) > int(version.version):
            return f"{alias} shows a newer one, {shown.version}"
        try:
            registry.promote(version.name, alias, version, expect=shown)
        except AliasMovedError:
            continue
        return ""
