"""SplitStage: each id has its arm, by weights that may change while answers are given."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.errors import ModelError
from rxml.flow.flowable import Flowable
from rxml.models.live.stage import ArmsStage, Parting, taken
from rxml.models.live.weights import Weights, checked, require_arms

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from rxml.flow.node import Env, Node
    from rxml.models.scoring.settings import Settings

_LOG: Final = logging.getLogger("rxml.models")


class SplitStage(ArmsStage):
    """See `ops.split`.

    Args:
        env: see `ArmsStage`.
        node: see `ArmsStage`.
        settings: see `ArmsStage`.
        parting: see `ArmsStage`.
        weights: of the arms, or the flow of them.
    """

    shares: Sequence[float]

    def __init__(
        self,
        env: Env,
        node: Node,
        settings: Settings,
        parting: Parting,
        weights: Weights | Flowable[Mapping[str, float]],
    ) -> None:
        super().__init__(env, node, settings, parting)
        self._names = tuple(parting.models)
        self._weights = weights
        self._first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @override
    def beside(self) -> Sequence[tuple[str, Coroutine[Any, Any, None]]]:
        weights = self._weights
        return [("weights", self._follow(weights))] if isinstance(weights, Flowable) else ()

    async def _follow(self, flow: Flowable[Mapping[str, float]]) -> None:
        """Go by the latest weights; what is refused, and the end of the flow, changes nothing."""
        head = self.env.open(flow)
        failure: Exception = ModelError("the flow of weights ended without any")
        try:
            while not (chunk := await head.request(1)).end:
                for weights in chunk.elements:
                    self._take(weights)
                taken(chunk)
        except Exception as error:  # noqa: BLE001 - the weights before it go on
            failure = error
            _LOG.warning("the flow of weights has failed: %r; the latest ones go on", error)
        finally:
            await head.cancel()
        if not self._first.done():
            self._first.set_exception(failure)

    def _take(self, weights: Mapping[str, float]) -> None:
        try:
            shares = checked(weights)
            require_arms(shares, self._names)
        except Exception as error:  # noqa: BLE001 - those before it go on
            _LOG.warning("weights are refused: %s; the latest ones go on", error)
            return
        self.shares = [shares[name] for name in self._names]
        if not self._first.done():
            self._first.set_result(None)

    @override
    async def prepared(self) -> None:
        if isinstance(self._weights, Flowable):
            await asyncio.shield(self._first)

    @override
    def _queue(self, asks: list[Any]) -> None:
        if isinstance(self._weights, Weights):
            self.shares = self._weights.shares(self._names)
        super()._queue(asks)
