"""Aliases that somebody else moves, and a registry that cannot be written to: what `retrain` and `promote` make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.errors import RegistryError
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.learning.facade import LearningConfig, ModelLearning
from rxml.learning.promoting.kernel import Promotion
from rxml.learning.promoting.trial import Verdict
from rxml.learning.retraining.kernel import Retraining, RetrainingReport
from rxml.models.artefacts import linear
from rxml.models.registry import Registry
from rxml.testing.virtual_time import run
from tests.unit.checkpointing.memory_store import Died, MemoryStore
from tests.unit.learning.facade_scripted import Scripted, made

if TYPE_CHECKING:
    from pathlib import Path

    from rxml.learning.promoting.kernel import Pair

CONFIG = LearningConfig("shop:train", timeout=100.0)
BETTER = {"champion_loss": 0.9, "challenger_loss": 0.1}
UNKNOWN = {"champion_loss": None, "challenger_loss": None}
WORSE = Verdict(better=False, labels=9, difference=-0.5, lower=-0.9, upper=-0.1)


class Racing(Registry):
    """Somebody else publishes, and is quicker by as much as was said."""

    ahead: int = 0

    @override
    def promote(self, name: str, alias: str, *args: Any, **how: Any) -> Any:
        while self.ahead:
            self.ahead -= 1
            super().promote(name, alias, self.publish(name, linear({"x": 9.0})))
        return super().promote(name, alias, *args, **how)


class Full(Registry):
    """The disk is full."""

    @override
    def publish(self, *args: Any, **how: Any) -> Any:
        raise OSError(28, "No space left on device")


class Locked(Registry):
    """No alias can be moved."""

    @override
    def promote(self, *args: Any, **how: Any) -> Any:
        raise RegistryError("it is locked")


def retrained(registry: Registry) -> RetrainingReport:
    told = Retraining()

    async def main() -> None:
        async with ModelLearning(launch=Scripted([made()])) as learning:
            retrain = ops.retrain(
                learning, CONFIG, every=1, retraining=told, publish_to=registry, name="price", alias="next"
            )  # fmt: skip
            await rxml.of(1).pipe(retrain).run()

    run(main())
    assert told.now is not None
    return told.now


def test_a_version_that_comes_late_does_not_take_the_alias_from_a_newer_one(tmp_path: Path) -> None:
    registry = Racing(tmp_path / "models")
    registry.ahead = 2
    report = retrained(registry)
    assert (report.decision, str(report.version)) == ("published", "price:1")
    assert report.reason == "next shows a newer one, 3"
    assert registry.aliases("price")["next"].version == "3"


def test_a_newer_version_takes_the_alias(tmp_path: Path) -> None:
    registry = Racing(tmp_path / "models")
    registry.promote("price", "next", registry.publish("price", linear({"x": 1.0})))
    assert (retrained(registry).reason, retrained(registry).reason) == ("", "")
    assert registry.aliases("price")["next"].version == "3"


def test_what_cannot_be_published_is_told_with_the_model(tmp_path: Path) -> None:
    report = retrained(Full(tmp_path / "models"))
    assert report.decision == "failed"
    assert "No space left" in report.reason
    assert report.result is not None
    assert report.result.trained


def test_what_is_published_without_its_alias_is_told_as_that(tmp_path: Path) -> None:
    report = retrained(Locked(tmp_path / "models"))
    assert (report.decision, str(report.version)) == ("published", "price:1")
    assert report.reason == "next was not moved: it is locked"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = Registry(tmp_path / "models")
    for alias, weight in (("champion", 1.0), ("challenger", 2.0)):
        made.promote("price", alias, made.publish("price", linear({"x": weight})))
    return made


def shown(registry: Registry) -> list[str]:
    aliases = registry.aliases("price")
    return [aliases[alias].version for alias in ("champion", "challenger")]


class Busy(Promotion):
    """Its registry cannot be written to the first times."""

    refusals: int = 0

    @override
    def act(self, pair: Pair, verdict: Verdict) -> Any:
        if self.refusals:
            self.refusals -= 1
            raise RegistryError("it is locked")
        return super().act(pair, verdict)


def row(at: int) -> dict[str, Any]:
    return BETTER if at < 30 else UNKNOWN


def test_what_was_proven_is_done_at_the_next_look_if_it_cannot_be_done_now(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    promotion = Busy(registry, "price", check=10.0)
    promotion.refusals = 2
    rows: Any = rxml.interval(1.0).pipe(ops.take(60), ops.map(row))
    flow = rows.pipe(ops.promote(promotion))
    assert len(run(flow.to_list())) == 60
    assert promotion.now is not None
    assert promotion.now.labels < 30
    assert sum("it is locked" in each.message for each in caplog.records) == 2
    assert shown(registry) == ["2", "2"]


def test_what_was_proven_when_a_run_died_is_done_by_the_next_one(registry: Registry) -> None:
    promotion = Busy(registry, "price", check=1e9)
    promotion.refusals = 10**6
    flow = rxml.from_iterable([row(at) for at in range(50)]).pipe(ops.promote(promotion))

    async def main() -> None:
        store = MemoryStore(45)
        while True:
            try:
                return await flow.run(checkpoint=Checkpoint(store, every=None, elements=1))
            except Died:
                assert promotion.now is None
                promotion.refusals = 0

    run(main())
    assert shown(registry) == ["2", "2"]


def test_of_two_who_promote_one_wins_and_the_other_says_so(registry: Registry) -> None:
    first, second = Promotion(registry, "price"), Promotion(registry, "price")
    pair = first.pair()
    assert pair is not None
    better = WORSE._replace(better=True)
    assert [each.act(pair, better).decision for each in (first, second)] == ["promoted", "moved"]
    assert shown(registry) == ["2", "2"]


def test_who_is_worse_than_a_champion_of_before_is_tried_against_the_new_one(
    registry: Registry,
) -> None:
    promotion = Promotion(registry, "price")
    pair = promotion.pair()
    assert pair is not None
    registry.promote("price", "champion", registry.publish("price", linear({"x": 3.0})))
    assert promotion.act(pair, WORSE).decision == "moved"
    assert shown(registry) == ["3", "2"]
    registry.rollback("price", "champion")
    assert promotion.act(pair, WORSE).decision == "rejected"
    assert shown(registry) == ["1", "1"]


def test_labelled_elements_are_looked_at_a_few_at_a_time(registry: Registry) -> None:
    promotion = Promotion(registry, "price", least=10**6)
    rows = [UNKNOWN] * 4000 + [BETTER] * 300
    flow = rxml.from_iterable(rows).pipe(ops.promote(promotion))

    async def main() -> list[list[Any]]:
        async with flow.open() as subscription:
            turns: list[list[Any]] = []
            while not (chunk := await subscription.request(1024)).end:
                turns.append(list(chunk.elements))
            return turns

    turns = run(main())
    assert [each for turn in turns for each in turn] == rows
    assert max(turn.count(BETTER) for turn in turns) <= 16
