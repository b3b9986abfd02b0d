"""A pipeline that scores what an alias shows: it follows promotions and rollbacks, and outlives a damaged version."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.models import on_loop
from rxml.models.artefacts import linear
from rxml.models.registry import Registry
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from pathlib import Path

    from rxml.models import Prediction
    from rxml.models.scoring.settings import Swap


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = Registry(tmp_path / "models")
    for weight in (1.0, 2.0, 3.0):
        made.publish("price", linear({"area": weight}))
    made.promote("price", "champion", 1)
    return made


def served(registry: Registry, steps: dict[int, Any], swaps: list[Swap]) -> list[Prediction]:
    """The predictions for 30 rows, one every 100 ms; a step is done in a thread before the row of that number."""

    async def row(at: int) -> dict[str, float]:
        if at in steps:
            await asyncio.to_thread(*steps[at])
        return {"area": 1.0}

    flow = rxml.interval(0.1).pipe(
        ops.map_async(row, concurrency=1),
        ops.score(registry.watch("price@champion", every=0.25), on=on_loop(), on_swap=swaps.append),
        ops.take(30),
    )

    async def main() -> list[Prediction]:
        return await flow.to_list()

    return run(main())


def versions(found: list[Prediction]) -> list[str]:
    return [version for version, _ in groupby(each["version"] for each in found)]


def test_a_promotion_and_a_rollback_are_followed_and_no_row_is_lost(registry: Registry) -> None:
    steps = {
        8: (registry.promote, "price", "champion", 2),
        18: (registry.rollback, "price", "champion"),
    }
    swaps: list[Swap] = []
    found = served(registry, steps, swaps)
    assert len(found) == 30
    assert versions(found) == ["1", "2", "1"]
    assert all(each.value == float(each["version"]) for each in found)
    assert {each["digest"] for each in found} == {
        registry.find(f"price:{n}").digest for n in (1, 2)
    }
    assert [swap.release.version for swap in swaps] == ["1", "2", "1"]


def test_the_one_before_stays_while_a_version_is_damaged(registry: Registry) -> None:
    digest = registry.find("price:2").digest.removeprefix("sha256:")
    path = registry.folder / "blobs" / digest[:2] / digest
    path.write_bytes(path.read_bytes()[:-1])
    steps = {
        5: (registry.promote, "price", "champion", 2),
        15: (registry.promote, "price", "champion", 3),
    }
    swaps: list[Swap] = []
    found = served(registry, steps, swaps)
    assert versions(found) == ["1", "3"]
    refused = [swap for swap in swaps if swap.error is not None]
    assert [swap.release.version for swap in refused] == ["2"]
    assert "cut off or tampered with" in str(refused[0].error)
