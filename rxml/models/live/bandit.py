"""BanditStage: arms are drawn as their rewards have it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.flow.flowable import Flowable
from rxml.models.live.rewards import Ledger, Reward, Rewards, require_reward
from rxml.models.live.stage import ArmsStage, Parting, taken

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from rxml.flow.node import Env, Node
    from rxml.models.live.arm import Sent
    from rxml.models.live.learners import Learner
    from rxml.models.scoring.settings import Settings

_LOG: Final = logging.getLogger("rxml.models")


class BanditStage(ArmsStage):
    """See `ops.bandit`.

    Args:
        env: see `ArmsStage`.
        node: see `ArmsStage`.
        settings: see `ArmsStage`.
        parting: see `ArmsStage`.
        rewards: by id.
        learner: goes by them.
        remember: ids whose arm is known.
    """

    shares: Sequence[float]

    def __init__(
        self,
        env: Env,
        node: Node,
        settings: Settings,
        parting: Parting,
        *,
        rewards: Rewards | Flowable[Any],
        learner: Learner,
        remember: int,
    ) -> None:
        super().__init__(env, node, settings, parting)
        self._rewards = rewards
        self._learner = learner
        self._ledger = Ledger(remember)
        self.shares = learner.probabilities()
        self._deaf = _nothing

    @override
    def _begin(self) -> None:
        if isinstance(self._rewards, Rewards):
            self._deaf = self._rewards.hear(self._heard)
        super()._begin()

    @override
    def beside(self) -> Sequence[tuple[str, Coroutine[Any, Any, None]]]:
        rewards = self._rewards
        return [("rewards", self._follow(rewards))] if isinstance(rewards, Flowable) else ()

    async def _follow(self, flow: Flowable[Any]) -> None:
        """Learn from each; what is no reward, and the end of the flow, changes nothing."""
        head = self.env.open(flow)
        try:
            while not (chunk := await head.request(64)).end:
                for each in chunk.elements:
                    self._read(each)
                taken(chunk)
        except Exception as error:  # noqa: BLE001 - what was learnt stays
            _LOG.warning("the flow of rewards has failed: %r; nothing more is learnt", error)
        finally:
            await head.cancel()

    def _read(self, given: Any) -> None:
        try:
            key, value = given
            self._heard(Reward(key, require_reward(value)))
        except Exception as error:  # noqa: BLE001 - the others count
            _LOG.warning("%r is no reward, a pair of id and 0 to 1: %s", given, error)

    def _heard(self, reward: Reward) -> bool:
        choice = self._ledger.take(reward.key)
        if choice is None:
            return False
        arm, propensity = choice
        self._learner.learn(arm, reward.value, propensity)
        self.shares = self._learner.probabilities()
        return True

    @override
    def send(self, ask: Sent, number: int) -> None:
        super().send(ask, number)
        self._ledger.note(ask.key, number, ask.propensity)

    @override
    async def release(self) -> None:
        self._deaf()
        self._deaf = _nothing
        await super().release()


def _nothing() -> None:
    """Nobody hears anything."""
