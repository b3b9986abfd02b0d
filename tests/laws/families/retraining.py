"""Law cases of `rxml.operators.retraining`."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import hypothesis.strategies as st

import rxml
from rxml import operators as ops
from rxml.learning.facade import LearningConfig, ModelLearning
from rxml.learning.facade.frames import Failed, Told
from rxml.learning.promoting.kernel import Promotion
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from hypothesis.strategies import SearchStrategy

    from rxml.batch import Batch
    from rxml.flow.operator import Operator
    from rxml.learning.facade.frames import Answer
    from rxml.models.artefacts import Artefact
    from rxml.models.registry import Registry, Version

CONFIG = LearningConfig("shop:train")


class Failing:
    """Gets a little further, then fails."""

    def __init__(self) -> None:
        self.left = 2

    async def told(self) -> Answer:
        self.left -= 1
        return Told(1.0, 2.0, {}) if self.left else Failed("ValueError", "no data")

    async def artefact(self, made: object) -> Artefact:
        raise NotImplementedError


@asynccontextmanager
async def launched(config: LearningConfig, data: Batch | None) -> AsyncGenerator[Failing]:
    del config, data
    yield Failing()


class Aliases:
    """A registry in which a model has no aliases."""

    def aliases(self, name: str) -> dict[str, Version]:
        del name
        return {}


def retrain(**how: Any) -> Operator[Any, Any]:
    return ops.retrain(ModelLearning(launch=launched), CONFIG, **how)


def negative(x: int) -> bool:
    return 12 // x < 0


def asking(xs: list[Any]) -> Iterator[Any]:
    for x in xs:
        negative(x)
        yield x


LOSSES: SearchStrategy[Any] = st.fixed_dictionaries(
    {"a": st.sampled_from([0.0, 1.0, None]), "b": st.sampled_from([0.0, 0.5, 2.0])}
)


def judged(rows: list[Any]) -> Iterator[Any]:
    for row in rows:
        if row["a"] is not None and row["b"] > 1.0:
            raise ValueError(row)
        yield row


def promote() -> Operator[Any, Any]:
    promotion = Promotion(cast("Registry", Aliases()), "price")
    return ops.promote(promotion, champion="a", challenger="b")


CASES = {
    "retrain": Case(lambda: retrain(every=2, when=negative), asking),
    "retrain:flow": Case(lambda: retrain(when=rxml.of(1, 2), rows=3), list),
    "promote": Case(promote, judged, LOSSES),
}
