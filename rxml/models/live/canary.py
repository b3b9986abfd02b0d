"""CanaryStage: a candidate answers some ids, and more of them, or none, as it proves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.flow.flowable import Flowable
from rxml.models.live.arm import Arm, Sent, unlike
from rxml.models.live.limits import Seen
from rxml.models.live.overdue import Overdue
from rxml.models.live.stage import ArmsStage, Parting
from rxml.models.scoring.waiting import Ask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.flow.node import Env, Node
    from rxml.flow.workers.turnstile import Entry
    from rxml.models.live.rollout import Decision, Rollout
    from rxml.models.model import Release
    from rxml.models.scoring.settings import Settings, Swap

STABLE: Final = "stable"
CANDIDATE: Final = "candidate"
"""The arms of a canary."""


class CanaryStage(ArmsStage):
    """See `ops.canary`.

    Args:
        env: see `ArmsStage`.
        node: see `ArmsStage`.
        settings: see `ArmsStage`.
        parting: see `ArmsStage`; of a stable model and a candidate.
        rollout: decides.
        on_decision: told of each decision.
    """

    shares: Sequence[float]

    def __init__(
        self,
        env: Env,
        node: Node,
        settings: Settings,
        parting: Parting,
        *,
        rollout: Rollout,
        on_decision: Callable[[Decision], Any] | None,
    ) -> None:
        self._on_swap = settings.on_swap
        super().__init__(env, node, settings, parting)
        self._rollout = rollout
        self._on_decision = on_decision
        self._fixed = not isinstance(parting.models[CANDIDATE], Flowable)
        self._trial: Release | None = None
        self._trying: set[Sent] = set()
        self._overdue = Overdue(self._late)

    @override
    def settings_of(self, number: int, settings: Settings) -> Settings:
        return replace(settings, on_swap=partial(self._swapped, number))

    @override
    def required(self) -> Sequence[Arm]:
        return self.arms[:1]

    def _swapped(self, number: int, swap: Swap) -> None:
        """One of the two is another one: what was learnt of the two before says nothing of these."""
        if self._on_swap is not None:
            self._on_swap(swap)
        if swap.error is not None:
            if number:
                self._tell(self._rollout.refuse(swap.release, repr(swap.error)))
            return
        if not number:
            self._follow(self._rollout.replaced(swap.release, self.env.clock.time()))
        self._begin_trial(again=number == 0)

    def _begin_trial(self, *, again: bool) -> None:
        stable, candidate = (arm.crew for arm in self.arms)
        if stable is None or candidate is None or (again and not self._rollout.running):
            return
        refusal = unlike(stable.signature, candidate.signature)
        if refusal is not None:
            self._tell(self._rollout.refuse(candidate.release, refusal))
            return
        self._trial = candidate.release
        now = self.env.clock.time()
        self._follow(self._rollout.begin(candidate.release, stable.release, now))

    @override
    def missing(self, arm: Arm, error: Exception) -> None:
        """The candidate cannot be had; where there was one, the flow of them has failed, and it goes on."""
        self._tell(self._rollout.refuse(None, repr(error)))

    @override
    async def prepared(self) -> None:
        """The candidate may have come first."""
        if self._trial is None:
            self._begin_trial(again=False)

    def _follow(self, decision: Decision | None) -> None:
        """Do as was decided."""
        if decision is None:
            return
        share = self._rollout.share
        self.shares = [1.0 - share, share]
        if decision.kind == "rolled_back":
            self._withdraw()
        self._tell(decision)

    def _tell(self, decision: Decision) -> None:
        if self._on_decision is not None:
            try:
                self._on_decision(decision)
            except Exception as error:  # noqa: BLE001 - whoever looks on must not stop the work
                self.env.report(error)

    def _withdraw(self) -> None:
        """What the candidate has not answered goes to the stable model; a candidate that none can follow is let go of."""
        arm = self.arms[1]
        arm.dispatcher.clear()
        for ask in list(self._trying):
            self._rescue(ask, "rolled back")
        asyncio.get_running_loop().call_soon(self.arms[0].dispatcher.run)
        if self._fixed:
            arm.dispatcher.staff(None)
            self._scope.start(arm.shift.close(), name=f"{self.node.spec.name}: candidate leaves")

    def _rescue(self, ask: Sent, reason: str) -> None:
        """Have the stable model answer it; what the candidate still says of it counts no more."""
        self._trying.discard(ask)
        ask.fell = (STABLE, reason)
        ask.told = True
        self.arms[0].waiting.put(ask)

    @override
    def send(self, ask: Sent, number: int) -> None:
        if not number:
            super().send(ask, number)
            return
        ask.propensity = self.shares[number]
        self._trying.add(ask)
        self._overdue.put(ask, self._rollout.slow)
        self.arms[1].waiting.put(Try(ask))

    def _late(self, asks: list[Sent]) -> None:
        """These the candidate has not answered in time, and perhaps never will."""
        asks = [ask for ask in asks if ask in self._trying]
        now = self.env.clock.time()
        for ask in asks:
            self._rescue(ask, "late")
        for ask in asks:
            self._learn(self.arms[1], [Seen(now - ask.arrived, late=True)])
        self.arms[0].dispatcher.run()

    def _learn(self, arm: Arm, seen: list[Seen]) -> None:
        if seen and self._trial is not None:
            now = self.env.clock.time()
            self._follow(self._rollout.learn(seen, now, candidate=bool(arm.number)))

    @override
    def answered(self, arm: Arm, asks: list[Any], answers: list[Any]) -> None:
        now = self.env.clock.time()
        if arm.number:
            asks, answers = self._tried(asks, answers)
        seen = [
            Seen(now - ask.arrived, getattr(answer, "value", None))
            for ask, answer in zip(asks, answers, strict=True)
            if not isinstance(answer, Exception) and self._counts(arm, ask, answer)
        ]
        super().answered(arm, asks, answers)
        self._learn(arm, seen)

    def _tried(self, asks: list[Try], answers: list[Any]) -> tuple[list[Any], list[Any]]:
        """Those that nobody else is to answer; of the ones that failed, what stands for them here."""
        kept = [
            (each if isinstance(answer, Exception) else each.original, answer)
            for each, answer in zip(asks, answers, strict=True)
            if each.original in self._trying
        ]
        self._trying.difference_update(
            ask for ask, answer in kept if not isinstance(answer, Exception)
        )
        return [ask for ask, _ in kept], [answer for _, answer in kept]

    @override
    def failed(self, arm: Arm, ask: Any, error: Exception) -> None:
        seen = [Seen(self.env.clock.time() - ask.arrived, error=error)]
        if not arm.number:
            counts = self._counts(arm, ask)
            self.fail(ask, error)
            self._learn(arm, seen if counts else [])
        elif ask.original in self._trying:
            self._rescue(ask.original, f"error: {type(error).__name__}")
            self._learn(arm, seen)
            self.arms[0].dispatcher.run()

    @override
    def dropped(self, arm: Arm, ask: Any) -> None:
        if arm.number:
            ask = ask.original
            if ask not in self._trying:
                return
            self._trying.discard(ask)
        counts = self._counts(arm, ask)
        self.drop(ask)
        self._learn(arm, [Seen(self.env.clock.time() - ask.arrived, late=True)] if counts else [])

    def _counts(self, arm: Arm, ask: Sent, answer: Any = None) -> bool:
        """Whether what comes of it says anything of the two that are compared."""
        told, ask.told = ask.told, True
        return not told and (
            not arm.number or getattr(answer, "release", self._trial) == self._trial
        )

    @override
    def _forget(self, gone: set[Entry] | None = None) -> None:
        if gone is None:
            self._trying.clear()
        else:
            self._trying.difference_update(gone)
        super()._forget(gone)

    @override
    async def release(self) -> None:
        self._overdue.close()
        await super().release()


class Try(Ask):
    """An element as the candidate has it, so that it can be given to the stable model while the candidate still works on it.

    Attributes:
        original: that is answered.
    """

    __slots__ = ("original",)

    def __init__(self, original: Sent) -> None:
        super().__init__(
            original.item, original.context, original.rows, original.arrived, original.weight
        )
        self.original: Sent = original
