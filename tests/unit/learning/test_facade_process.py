"""The facade with real processes: whatever becomes of a trainer is a result, and nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import select
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rxml.batch import Batch
from rxml.learning.facade import LearningConfig, LearningResult, ModelLearning
from rxml.models.registry import Coverage, FactRange, Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = Batch({"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.0]})
LONG = 60.0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the folders of trainings are; none is left."""
    where = tmp_path / "temporary"
    where.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(where))
    yield where
    assert list(where.iterdir()) == []


def config(name: str, timeout: float = LONG, **how: Any) -> LearningConfig:
    return LearningConfig(f"tests.unit.learning.facade_trainers:{name}", timeout=timeout, **how)


async def learned(given: LearningConfig) -> LearningResult:
    async with ModelLearning() as learning:
        return await learning.learn(given, DATA)


def test_a_model_comes_back_with_what_is_known_of_it_and_a_registry_takes_it(
    tmp_path: Path,
) -> None:
    checkpoints = tmp_path / "checkpoints"
    checkpoints.mkdir()
    given = config(
        "slope",
        hyperparameters={"scale": 2.0, "array": np.arange(3)},
        facts=FactRange(0, 90),
        seed=7,
        checkpoints=str(checkpoints),
    )

    async def main() -> tuple[list[float], LearningResult]:
        async with ModelLearning() as learning:
            training = learning.start(given, DATA)
            told = [each.metrics["loss"] for each in await training.progress.to_list()]
            return told, await training.result()

    told, result = asyncio.run(main())
    assert (result.outcome, result.reason, told) == ("trained", "", [1.0, 1 / 2, 1 / 3])
    assert (checkpoints / "asked").read_text(encoding="utf-8") == "7"
    registry = Registry(tmp_path / "models")
    assert result.artefact is not None
    version = registry.publish("slope", result.artefact, **result.about())
    manifest = version.manifest
    assert manifest.metrics == {"rmse": 0.5}
    assert (manifest.features, manifest.notes) == ("v7", "90")
    assert (manifest.facts, manifest.coverage) == (FactRange(0, 90), Coverage(0.9, 0.91, 100))
    assert registry.load(version).predict(DATA)["value"].tolist() == [4.0, 8.0, 12.0]


@pytest.mark.slow
def test_a_model_of_scikit_learn_comes_back(tmp_path: Path) -> None:
    result = asyncio.run(learned(config("estimator")))
    assert result.artefact is not None
    registry = Registry(tmp_path / "models")
    version = registry.publish("m", result.artefact, **result.about())
    assert np.allclose(registry.load(version).predict(DATA)["value"], [2.0, 4.0, 6.0])
    assert "facade_trainers:estimator" in version.manifest.notes


@pytest.mark.parametrize(
    ("name", "outcome", "why"),
    [
        ("dying", "crashed", "its process ended with status 3: the disk is on fire"),
        ("reading_nowhere", "crashed", "SIGSEGV: Fatal Python error: Segmentation fault"),
        ("failing", "failed", "KeyError: ('no such column', '"),
        ("giving_nothing", "failed", "NoneType"),
        ("pickled", "failed", "model.txt is none of .joblib"),
        ("unknown", "failed", "AttributeError"),
        ("greedy", "out_of_memory", "more memory than it may have"),
    ],
)
def test_a_crash_is_a_result(name: str, outcome: str, why: str) -> None:
    result = asyncio.run(learned(config(name, memory=2**28)))
    assert (result.outcome, result.artefact) == (outcome, None)
    assert why in result.reason


def test_who_hangs_is_killed_with_what_it_has_started() -> None:
    async def main() -> tuple[LearningResult, int]:
        async with ModelLearning() as learning:
            training = learning.start(config("hanging"))
            child = -1
            async for progress in training.progress:
                child = os.pidfd_open(int(progress.done))
                training.cancel()
            return await training.result(), child

    result, child = asyncio.run(main())
    assert (result.outcome, result.reason) == ("cancelled", "it was cancelled")
    ended, _, _ = select.select([child], [], [], LONG)
    os.close(child)
    assert ended == [child]


def test_a_timeout_is_a_result() -> None:
    result = asyncio.run(learned(config("hanging", timeout=0.2)))
    assert (result.outcome, result.reason) == (
        "timed_out",
        "it took more than 0.2 s, and was killed",
    )
