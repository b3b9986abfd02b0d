"""columns: standardise 20 features and score a logistic model, on batches of 1024."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from benchmarks.case import Case, Contestant, Must, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS = 1024
FEATURES = 20
DISTINCT = 16


@cache
def data() -> tuple[list[Any], Any, Any, Any]:
    """Distinct feature blocks (1024, 20) float64, then means (20,), scales (20,) and weights (20,)."""
    import numpy as np  # noqa: PLC0415

    generator = np.random.default_rng(7)
    blocks = [generator.normal(3.0, 2.0, (ROWS, FEATURES)) for _ in range(DISTINCT)]
    mean, scale, weights = (generator.uniform(0.5, 2.0, FEATURES) for _ in range(3))
    return blocks, mean, scale, weights


def steps() -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """The two numpy functions that all contestants call: standardise, then score."""
    import numpy as np  # noqa: PLC0415

    _, mean, scale, weights = data()

    def standardised(block: Any) -> Any:
        return (block - mean) / scale

    def scored(block: Any) -> Any:
        return 1.0 / (1.0 + np.exp(-(block @ weights)))

    return standardised, scored


def by_hand(size: int) -> Outcome:
    """A loop over the blocks."""
    standardised, scored = steps()
    blocks = data()[0]
    total = 0.0
    for number in range(size):
        total += float(scored(standardised(blocks[number % DISTINCT])).sum())
    return Outcome(total)


def rxml(size: int) -> Outcome:
    """Ours: two column operators over a stream of batches."""
    from rxml import from_batches  # noqa: PLC0415
    from rxml import operators as ops  # noqa: PLC0415
    from rxml.batch.batch import Batch  # noqa: PLC0415

    standardised, scored = steps()
    batches = [Batch({"features": block}) for block in data()[0]]

    def source() -> Iterator[Any]:
        return (batches[number % DISTINCT] for number in range(size))

    def standardise(batch: Any) -> Any:
        return batch.with_columns(features=standardised(batch["features"]))

    def score(batch: Any) -> Any:
        return batch.with_columns(score=scored(batch["features"]))

    flow = from_batches(source).pipe(ops.map_batch(standardise), ops.map_batch(score))

    async def main() -> float:
        total = 0.0
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(ROWS)).end:
                total += float(cast("Any", chunk.elements)["score"].sum())
        return total

    return Outcome(asyncio.run(main()))


CASE = Case(
    name="columns",
    what="standardise and logistic score, 20 features, batches of 1024",
    limit="the numpy calls themselves",
    size=2_000,
    quick=400,
    unit="batches",
    contestants={
        "rxml": Contestant(rxml, "from_batches | map_batch | map_batch, request(1024)"),
        "hand": Contestant(by_hand, "the same numpy functions in a loop"),
    },
    musts=(Must("speed", "hand", 0.9),),
    tolerance=1e-9,
)
