"""Hedging: several models are asked about an element, and the first answer that is sure enough is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rxml.flow.guarding.panel import SHARE
from rxml.flow.guarding.rungs import NOTHING, why
from rxml.flow.guarding.standing import in_time, now
from rxml.learning.routing.racing import Race
from rxml.learning.widening import require_rows
from rxml.models.scoring.routing_stage import replaced
from rxml.models.supervising.stage import AskingStage
from rxml.models.supervising.telling import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.batch import Row
    from rxml.flow.node import Env, Node
    from rxml.learning.routing.racing import Bar
    from rxml.models.supervising.company import Company


@dataclass(frozen=True, slots=True)
class Hedge:
    """How models are asked.

    Attributes:
        bar: which answers are sure enough.
        seconds: that there are for an answer.
        stagger: seconds after which the next model is asked.
        default: the answer when there is no other, or `NOTHING`.
    """

    bar: Bar
    seconds: float
    stagger: float
    default: Any


class HedgeStage(AskingStage):
    """Asks models about elements, several at once.

    Args:
        env: of the run.
        node: the stage.
        company: the models.
        hedge: how they are asked.
        concurrency: elements at once.
        ordered: answers leave in the order of the elements.
    """

    def __init__(
        self,
        env: Env,
        node: Node,
        company: Company,
        hedge: Hedge,
        *,
        concurrency: int,
        ordered: bool,
    ) -> None:
        super().__init__(
            env, node, self._answered, company, concurrency=concurrency, ordered=ordered
        )
        self._seats = tuple(company.seats.values())
        self._hedge = hedge

    async def _answered(self, item: Any) -> Row:
        require_rows([item])
        try:
            return await self._raced(item)
        except Exception as error:
            if self._hedge.default is NOTHING:
                raise
            columns = self._hedge.bar.columns(self._hedge.default)
            return replaced(item, {**columns, "reason": why(error)}, DEFAULT)

    async def _raced(self, item: Mapping[str, Any]) -> Row:
        hedge = self._hedge
        until = now() + min(hedge.seconds, SHARE * in_time())
        race = Race(self._seats, hedge.bar, item, until, hedge.stagger)
        await race.run()
        if race.best is None:
            raise race.failure()
        row = race.best.row
        return replaced(row, {"reason": race.reason or row["reason"]}, race.best.name)
