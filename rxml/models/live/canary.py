"""CanaryStage: a candidate answers some ids, and more of them, or none, as it proves."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.flow.flowable import Flowable
from rxml.models.live.arm import Arm, Sent, unlike
from rxml.models.live.limits import Seen
from rxml.models.live.stage import ArmsStage, Parting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.flow.node import Env, Node
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
        self._unanswered: deque[Sent] = deque()

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
        self._unanswered.clear()
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
        """What waits for the candidate goes to the stable model; a candidate that none can follow is let go of."""
        arm = self.arms[1]
        self._unanswered.clear()
        for ask in arm.dispatcher.clear():
            self._rescue(ask, "rolled back")
        if self._fixed:
            arm.dispatcher.staff(None)
            self._scope.start(arm.shift.close(), name=f"{self.node.spec.name}: candidate leaves")

    def _rescue(self, ask: Any, reason: str) -> None:
        ask.fell = (STABLE, reason)
        self.arms[0].waiting.put(ask)

    @override
    def send(self, ask: Sent, number: int) -> None:
        super().send(ask, number)
        if number and self._rollout.slow < inf:
            self._unanswered.append(ask)

    @override
    def _queue(self, asks: list[Any]) -> None:
        self._look()
        super()._queue(asks)

    def _look(self) -> None:
        """What the candidate has not answered in time counts, even if it never comes back."""
        now, slow = self.env.clock.time(), self._rollout.slow
        waiting = self._unanswered
        while waiting and (waiting[0].told or now - waiting[0].arrived > slow):
            ask = waiting.popleft()
            if not ask.told:
                ask.told = True
                self._learn(self.arms[1], [Seen(now - ask.arrived, late=True)])

    def _learn(self, arm: Arm, seen: list[Seen]) -> None:
        if seen:
            now = self.env.clock.time()
            self._follow(self._rollout.learn(seen, now, candidate=bool(arm.number)))

    @override
    def answered(self, arm: Arm, asks: list[Any], answers: list[Any]) -> None:
        now = self.env.clock.time()
        seen = [
            Seen(now - ask.arrived, getattr(answer, "value", None))
            for ask, answer in zip(asks, answers, strict=True)
            if not isinstance(answer, Exception)
            and self._counts(arm, ask, getattr(answer, "release", None))
        ]
        super().answered(arm, asks, answers)
        self._learn(arm, seen)

    @override
    def failed(self, arm: Arm, ask: Any, error: Exception) -> None:
        if self._counts(arm, ask):
            self._learn(arm, [Seen(self.env.clock.time() - ask.arrived, error=error)])
        if not arm.number:
            self.fail(ask, error)
            return
        self._rescue(ask, f"error: {type(error).__name__}")
        self.arms[0].dispatcher.run()

    @override
    def dropped(self, arm: Arm, ask: Any) -> None:
        if self._counts(arm, ask):
            self._learn(arm, [Seen(self.env.clock.time() - ask.arrived, late=True)])
        self.drop(ask)

    def _counts(self, arm: Arm, ask: Sent, release: Release | None = None) -> bool:
        """Whether what comes of it says anything of the two that are compared; each is told once."""
        told, ask.told = ask.told, True
        if told or ask.fell is not None or self._trial is None:
            return False
        return not arm.number or release in (None, self._trial)
