"""`ops.promote`: which of two versions is proven better, and what becomes of the aliases."""

from __future__ import annotations

import asyncio
from math import nan
from operator import itemgetter
from shutil import copytree
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import RegistryError, SchemaError, UnknownModelError
from rxml.evaluation.anytime import BettingMean
from rxml.learning import Label
from rxml.learning.promoting.kernel import Promotion, PromotionReport
from rxml.learning.promoting.trial import Trial
from rxml.models.artefacts import linear
from rxml.models.registry import Registry
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from pathlib import Path

BETTER = {"champion_loss": 0.9, "challenger_loss": 0.1}
WORSE = {"champion_loss": 0.1, "challenger_loss": 0.9}
EQUAL = {"champion_loss": 0.5, "challenger_loss": 0.5}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published") / "models"
    made = Registry(folder)
    for alias, weight in (("champion", 1.0), ("challenger", 2.0)):
        made.promote("price", alias, made.publish("price", linear({"x": weight})))
    return folder


@pytest.fixture
def registry(tmp_path: Path, published: Path) -> Registry:
    return Registry(copytree(published, tmp_path / "models"))


def shown(registry: Registry) -> dict[str, str]:
    return {alias: each.version for alias, each in registry.aliases("price").items()}


def passed(rows: Any, promotion: Promotion, **how: Any) -> list[Any]:
    return asyncio.run(rxml.from_iterable(rows).pipe(ops.promote(promotion, **how)).to_list())


def test_a_better_challenger_takes_over(registry: Registry) -> None:
    promotion = Promotion(registry, "price")
    rows = [BETTER] * 30 + [WORSE] * 30
    assert passed(rows, promotion) == rows
    report = promotion.now
    assert report is not None
    assert (report.decision, report.champion, report.challenger) == ("promoted", "1", "2")
    assert report.labels <= 30
    assert report.difference == pytest.approx(0.8)
    assert 0.0 < report.lower < 0.8 < report.upper
    assert shown(registry) == {"champion": "2", "challenger": "2"}


def test_a_worse_challenger_is_one_no_more(registry: Registry) -> None:
    promotion = Promotion(registry, "price")
    passed([WORSE] * 30, promotion)
    report = promotion.now
    assert report is not None
    assert (report.decision, report.upper < 0.0) == ("rejected", True)
    assert shown(registry) == {"champion": "1", "challenger": "1"}


def test_what_is_not_proven_changes_nothing(registry: Registry) -> None:
    promotion = Promotion(registry, "price")
    passed([EQUAL] * 100 + [BETTER, WORSE] * 20, promotion)
    assert promotion.now is None
    assert shown(registry) == {"champion": "1", "challenger": "2"}


def test_batches_and_rows_decide_at_the_same_label(registry: Registry) -> None:
    generator = np.random.default_rng(7)
    champion, challenger = generator.uniform(0.4, 1.0, 200), generator.uniform(0.0, 0.6, 200)
    columns = {"champion_loss": champion, "challenger_loss": challenger}
    found: list[PromotionReport | None] = []
    for size in (1, 7, 200):
        promotion = Promotion(registry, "price")
        registry.promote("price", "champion", 1)
        registry.promote("price", "challenger", 2)
        parts = [Batch(columns)[at : at + size] for at in range(0, 200, size)]
        flow = rxml.from_iterable(parts).pipe(ops.unbatch(), ops.promote(promotion))
        assert len(asyncio.run(flow.to_list())) == 200
        found.append(promotion.now)
    first = found[0]
    assert first is not None
    assert first.labels < 200
    assert found == [first] * 3


def test_who_has_no_label_yet_tells_nothing(registry: Registry) -> None:
    promotion = Promotion(registry, "price", least=25)
    unknown = [{**BETTER, "champion_loss": None}, {**BETTER, "challenger_loss": nan}]
    passed([*unknown * 100, Label(1, 2.0), *[BETTER] * 25], promotion)
    report = promotion.now
    assert report is not None
    assert report.labels == 25


def test_whoever_has_moved_an_alias_meanwhile_wins(registry: Registry) -> None:
    third = registry.publish("price", linear({"x": 3.0}))

    class Meddled(Promotion):
        @override
        def act(self, pair: Any, verdict: Any) -> Any:
            registry.promote("price", "champion", third)
            return super().act(pair, verdict)

    promotion = Meddled(registry, "price")
    passed([BETTER] * 30, promotion)
    report = promotion.now
    assert report is not None
    assert report.decision == "moved"
    assert shown(registry) == {"champion": "3", "challenger": "2"}


def test_a_challenger_that_comes_later_is_tried_anew(registry: Registry) -> None:
    promotion = Promotion(registry, "price", check=1.0)
    third = registry.publish("price", linear({"x": 3.0}))

    async def name_next(i: int) -> dict[str, float]:
        if i == 40:
            await asyncio.to_thread(registry.promote, "price", "challenger", third)
        return BETTER

    async def main() -> None:
        rows = rxml.interval(0.1).pipe(ops.take(120), ops.map_async(name_next, concurrency=1))
        flow = rows.pipe(ops.promote(promotion))
        assert len(await flow.to_list()) == 120
        reports = await promotion.reports.pipe(ops.take(2)).to_list()
        assert [(each.champion, each.challenger) for each in reports] == [("1", "2"), ("2", "3")]
        assert reports[0].labels == reports[1].labels

    run(main())
    assert shown(registry) == {"champion": "3", "challenger": "3"}


def test_answers_of_other_versions_tell_nothing(registry: Registry) -> None:
    promotion = Promotion(registry, "price")
    rows = [{**WORSE, "by": ("1", "9")}] * 50 + [{**WORSE, "by": ("7", "")}] * 50
    rows += [{**BETTER, "by": ("1", "2")}] * 20 + [{**BETTER, "by": ("", "2")}] * 20
    passed(rows, promotion, versions=itemgetter("by"))
    report = promotion.now
    assert report is not None
    assert report.decision == "promoted"
    assert report.difference == pytest.approx(0.8)


def test_behind_a_split_each_element_tells_of_whoever_answered(registry: Registry) -> None:
    promotion = Promotion(registry, "price", propensity=0.2)
    generator = np.random.default_rng(3)
    arms = generator.choice(["champion", "challenger", "other"], 3000, p=[0.5, 0.2, 0.3])
    shares = {"champion": 0.5, "challenger": 0.2, "other": 0.3}
    losses = {"champion": 0.9, "challenger": 0.2, "other": 0.0}
    rows = [{"loss": losses[arm], "arm": arm, "propensity": shares[arm]} for arm in arms.tolist()]
    passed(rows, promotion, loss="loss")
    report = promotion.now
    assert report is not None
    assert report.decision == "promoted"
    assert report.lower < 0.7 < report.upper


@pytest.mark.parametrize(
    ("row", "how", "kind"),
    [
        ({"champion_loss": 2.0, "challenger_loss": 0.0}, {}, ValueError),
        ({"champion_loss": 0.0, "challenger_loss": -0.1}, {}, ValueError),
        ({"champion_loss": 0.0}, {}, SchemaError),
        ({"champion_loss": "x", "challenger_loss": 0.0}, {}, SchemaError),
        ({"l": 0.5, "arm": "champion", "propensity": 0.01}, {"loss": "l"}, ValueError),
        ({"l": 0.5, "arm": "champion", "propensity": 1.5}, {"loss": "l"}, ValueError),
    ],
)
def test_what_cannot_be_judged_fails_after_what_came_before(
    registry: Registry, row: Any, how: Any, kind: type[Exception]
) -> None:
    before = {"l": 0.5, "arm": "champion", "propensity": 0.5, **EQUAL}
    out: list[Any] = []
    flow = rxml.of(before, row, before).pipe(ops.promote(Promotion(registry, "price"), **how))
    with pytest.raises(kind):
        asyncio.run(flow.pipe(ops.do_action(out.append)).to_list())
    assert out == [before]
    left_out = asyncio.run(flow.pipe(ops.supervise("resume")).to_list())
    assert left_out == [before, before]


def test_a_registry_without_the_model_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError):
        passed([BETTER], Promotion(Registry(tmp_path), "price"))


def test_a_registry_that_fails_later_is_logged(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Promotion):
        @override
        def act(self, pair: Any, verdict: Any) -> Any:
            raise RegistryError("the disk is gone")

    promotion = Broken(registry, "price")
    assert len(passed([BETTER] * 50, promotion)) == 50
    assert "the disk is gone" in caplog.text
    assert promotion.now is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"delta": 0.0},
        {"delta": 0.5},
        {"low": 1.0, "high": 0.0},
        {"least": 0},
        {"propensity": 0.0},
        {"propensity": 0.6},
        {"check": 0.0},
        {"keep": 0},
        {"challenger": "champion"},
    ],
)
def test_numbers_out_of_range_are_refused(registry: Registry, wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        Promotion(registry, "price", **wrong)


def test_a_trial_goes_on_where_it_was_saved() -> None:
    differences = np.random.default_rng(5).uniform(-0.6, 1.0, 400)
    whole, first = Trial(0.0, 1.0, 0.05, 1, None), Trial(0.0, 1.0, 0.05, 1, None)
    assert first.hear(differences[:10]) is None
    second = Trial(0.0, 1.0, 0.05, 1, None)
    second.restore(first.snapshot())
    verdict = whole.hear(differences)
    assert verdict is not None
    assert 10 < verdict.labels < 400
    assert second.hear(differences[10:]) == verdict


def looked(many: int, gain: float, propensity: float | None = None) -> tuple[float, float]:
    """Shares of so many trials that promote and that reject, in 2000 looks, where the challenger is better by `gain`."""
    generator = np.random.default_rng(11)
    most = 1.0 if propensity is None else 1.0 / propensity
    means = BettingMean(-most, most, 0.9, keys=many)
    slots = np.arange(many)
    verdicts = np.zeros(many)
    for _ in range(2000):
        champion = (generator.random(many) < 0.3 + gain).astype(float)
        challenger = (generator.random(many) < 0.3).astype(float)
        differences = champion - challenger
        if propensity is not None:
            tried = generator.random(many) < propensity
            differences = np.where(tried, -challenger / propensity, champion / (1 - propensity))
        means.update(slots, differences)
        lower, upper = means.interval(slots)
        verdicts = np.where(verdicts == 0, (lower > 0) * 1.0 - (upper < 0), verdicts)
    return float((verdicts > 0).mean()), float((verdicts < 0).mean())


def test_a_trial_is_the_confidence_sequence_that_is_simulated() -> None:
    generator = np.random.default_rng(2)
    paired, parted = Trial(0.0, 1.0, 0.05, 10**6, None), Trial(1.0, 3.0, 0.05, 10**6, 0.25)
    means = BettingMean(-1.0, 1.0, 0.9), BettingMean(-8.0, 8.0, 0.9)
    for champion, challenger in generator.random((50, 2)).tolist():
        paired.hear([paired.paired(champion, challenger)])
        means[0].update([0], [champion - challenger])
        parted.hear([parted.parted(1.0 + 2 * champion, 0.25, challenger=True)])
        means[1].update([0], [-2 * champion / 0.25])
    for trial, mean in zip((paired, parted), means, strict=True):
        lower, upper = mean.interval([0])
        assert trial.interval == (lower[0], upper[0])
        assert trial.verdict() is None


def test_a_real_improvement_is_found() -> None:
    generator = np.random.default_rng(11)
    for _ in range(3):
        trial = Trial(0.0, 1.0, 0.05, 1, None)
        losses = (generator.random((2000, 2)) < [0.5, 0.3]).astype(float)
        verdict = trial.hear(trial.paired(*row) for row in losses.tolist())
        assert verdict is not None
        assert verdict.better


@pytest.mark.slow
@pytest.mark.parametrize("propensity", [None, 0.3])
def test_what_is_no_better_is_promoted_no_more_often_than_promised(
    propensity: float | None,
) -> None:
    promoted, rejected = looked(400, 0.0, propensity)
    assert promoted <= 0.05
    assert rejected <= 0.05


@pytest.mark.slow
def test_what_is_better_by_a_tenth_is_found_within_2000_labels() -> None:
    promoted, rejected = looked(100, 0.1)
    assert promoted >= 0.95
    assert rejected == 0.0
