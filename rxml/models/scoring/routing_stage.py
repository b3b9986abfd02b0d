"""RoutingStage: some elements are scored by a further model, the others go by as they are, in their order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.batch import Row
from rxml.errors import SchemaError
from rxml.flow.guarding.rungs import why
from rxml.models.model import PRIMARY
from rxml.models.scoring.stage import ScoreStage
from rxml.models.scoring.waiting import Ask
from rxml.models.signature import TOLD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.flow.chunk import Chunk
    from rxml.flow.context import Context
    from rxml.flow.node import Env, Node
    from rxml.models.prediction import Prediction
    from rxml.models.scoring.crew import Crew
    from rxml.models.scoring.settings import Settings

ESCALATED: Final = "escalated"
"""The rung of an answer that a bigger model gave."""


@dataclass(frozen=True, slots=True)
class Marked:
    """An element, and whether a further model is to score it.

    Attributes:
        item: a mapping with the inputs of that model and what was answered so far.
        goes: whether it does.
    """

    item: Mapping[str, Any]
    goes: bool


class Routed(Ask):
    """An element that is answered already, and may be answered better.

    Attributes:
        goes: whether the further model scores it.
    """

    __slots__ = ("goes",)

    def __init__(
        self, marked: Marked, context: Context | None, arrived: float, weight: int
    ) -> None:
        super().__init__(marked.item, context, 1, arrived, weight)
        self.goes: bool = marked.goes


class RoutingStage(ScoreStage):
    """Scores those that are marked. One that cannot be scored, or not in time, keeps the answer that it has.

    Args:
        env: of the run.
        node: the stage.
        settings: of scoring; see `ops.score`.
        into: the column that the value takes; None: that of its name.
    """

    def __init__(self, env: Env, node: Node, settings: Settings, into: str | None) -> None:
        super().__init__(env, node, settings)
        self._into = into

    @override
    def _asks(self, chunk: Chunk[Marked], crew: Crew) -> list[Ask]:
        now, weight = self.env.clock.time(), crew.scales.coming
        contexts = chunk.contexts or repeat(None)
        return [
            Routed(marked, context, now, weight(marked.item))
            for marked, context in zip(chunk.elements, contexts, strict=False)
        ]

    @override
    def _queue(self, asks: list[Ask]) -> None:
        going: list[Ask] = [ask for ask in asks if isinstance(ask, Routed) and ask.goes]
        staying = [ask for ask in asks if not isinstance(ask, Routed) or not ask.goes]
        super().answer(staying, [kept(ask.item) for ask in staying])
        super()._queue(going)

    @override
    def answer(self, asks: list[Ask], answers: list[Any]) -> None:
        for ask, answer in zip(asks, answers, strict=True):
            if isinstance(answer, Exception):
                self.fail(ask, answer)
            else:
                self._better(ask, answer)

    def _better(self, ask: Ask, answer: Prediction) -> None:
        try:
            merged = _merged(ask.item, answer, self._into)
        except SchemaError as error:
            super().fail(ask, error)
        else:
            super().answer([ask], [merged])

    @override
    def fail(self, ask: Ask, error: Exception) -> None:
        self._keep(ask, why(error))

    @override
    def drop(self, ask: Ask) -> None:
        if ask.gone or ask.deadline < self.env.clock.time():
            super().drop(ask)
        else:
            self._keep(ask, "late")

    def _keep(self, ask: Ask, reason: str) -> None:
        super().answer([ask], [kept(ask.item, reason)])


def kept(item: Mapping[str, Any], reason: str = "") -> Row:
    """The element, and that its answer is the first one."""
    told = {"reason": reason} if reason else {}
    return _row({"rung": PRIMARY, "reason": "", **item, **told})


def _merged(item: Mapping[str, Any], answer: Prediction, into: str | None) -> Row:
    """The element with the further answer in place of the first one; no column is new, so that all elements are alike."""
    value = next(iter(answer.outputs))
    name = value if into is None else into
    if name not in item:
        text = f"the bigger model gives {value!r}, and an element has {sorted(map(str, item))}"
        raise SchemaError(f"escalate: {text}: say with into= which column that is")
    outputs = {each: found for each, found in answer.outputs.items() if each in item}
    outputs[name] = answer.value
    told = {each: answer[each] for each in TOLD if each in item}
    return replaced(item, {**outputs, **told}, ESCALATED)


def replaced(item: Mapping[str, Any], columns: Mapping[str, Any], rung: str) -> Row:
    """The element with another answer in these columns, and the rung of that one."""
    return _row({"rung": "", "reason": "", **item, **columns} | {"rung": rung})


def _row(columns: dict[str, Any]) -> Row:
    return Row({name: place for place, name in enumerate(columns)}, tuple(columns.values()))
