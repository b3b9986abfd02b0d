from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Schema
from rxml.errors import ModelError
from rxml.models import Release, Swap
from rxml.testing.virtual_time import run
from tests.unit.models.scoring.places import Timed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from rxml.flow.flowable import Flowable
    from rxml.models import Model

X = Schema.of(x="float64")


@dataclass
class Version:
    """An edition whose model multiplies."""

    factor: int
    broken: bool = False
    output: str = "value"

    @property
    def release(self) -> Release:
        return Release("times", str(self.factor))

    def load(self) -> Model:
        if self.broken:
            raise OSError("the file is damaged")
        outputs = Schema.of(**{self.output: "float64"})
        return models.from_function(lambda rows: self.factor * rows["x"], inputs=X, outputs=outputs)


def versions(*given: tuple[float, Version]) -> Flowable[Version]:
    """Versions, each so many seconds behind the one before; then none for long."""

    async def come() -> AsyncIterator[Version]:
        for seconds, version in given:
            await asyncio.sleep(seconds)
            yield version
        await asyncio.sleep(1e6)

    return rxml.from_async_iterable(come)


def scored(flow: Flowable[Version], place: Any, seconds: int, **how: Any) -> list[Any]:
    rows = rxml.interval(1.0).pipe(ops.take(seconds), ops.map(float))
    return run(rows.pipe(ops.score(flow, on=place, **how)).to_list())


def by_version(got: Iterable[Any]) -> list[str]:
    return [each["version"] for each in got]


def test_the_next_takes_over_between_two_batches_and_no_element_is_lost() -> None:
    place = Timed(base=0.1)
    swaps: list[Swap] = []
    got = scored(
        versions((0, Version(1)), (5, Version(2)), (5, Version(3))), place, 15, on_swap=swaps.append
    )
    assert [each.value for each in got] == [int(each["version"]) * x for x, each in enumerate(got)]
    seen = by_version(got)
    assert seen == sorted(seen)
    assert set(seen) == {"1", "2", "3"}
    assert [swap.release.version for swap in swaps] == ["1", "2", "3"]
    assert len(place.closed) == 3


def test_what_is_under_way_is_finished_by_the_one_that_began_it() -> None:
    place = Timed(base=3.0)
    got = scored(versions((0, Version(1)), (3, Version(2))), place, 10)
    assert [each.value for each in got] == [int(each["version"]) * x for x, each in enumerate(got)]
    assert set(by_version(got)) == {"1", "2"}


@pytest.mark.parametrize("bad", [Version(2, broken=True), Version(2, output="other")])
def test_the_one_before_stays_if_the_next_cannot_be_had(bad: Version) -> None:
    swaps: list[Swap] = []
    place = Timed(base=0.1)
    got = scored(
        versions((0, Version(1)), (3, bad), (3, Version(3))), place, 12, on_swap=swaps.append
    )
    assert len(got) == 12
    assert set(by_version(got)) == {"1", "3"}
    assert [swap.error is None for swap in swaps] == [True, False, True]


def test_without_any_model_the_stream_fails_with_the_reason() -> None:
    with pytest.raises(OSError, match="damaged"):
        scored(versions((0, Version(1, broken=True))), Timed(), 3)
    with pytest.raises(ModelError, match="without one"):
        run(rxml.of(1.0).pipe(ops.score(rxml.empty())).to_list())


def test_two_are_never_in_memory_if_so_told() -> None:
    place = Timed(base=0.1)
    got = scored(versions((0, Version(1)), (3, Version(2))), place, 8, overlap=False)
    assert len(got) == 8
    assert set(by_version(got)) == {"1", "2"}
    assert len(place.closed) == len(place.opened) == 2


def test_the_one_before_comes_back_if_the_next_cannot_run() -> None:
    class Refusing(Timed):
        @override
        async def open(self, model: Any, ready: Any) -> Any:
            if (
                model.function(__import__("rxml.batch", fromlist=["Batch"]).Batch({"x": [1.0]}))[0]
                == 2
            ):
                raise MemoryError("too large")
            return await super().open(model, ready)

    got = scored(versions((0, Version(1)), (3, Version(2))), Refusing(base=0.1), 8, overlap=False)
    assert len(got) == 8
    assert set(by_version(got)) == {"1"}
