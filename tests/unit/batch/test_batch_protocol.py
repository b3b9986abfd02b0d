"""Columns that are no arrays: what the Protocol asks is all that a batch needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pytest

from rxml.batch import Batch, Column, Field, Schema
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.batch.column import AnyArray


@dataclass(frozen=True, eq=False)
class Normal:
    """One normal distribution per row."""

    mean: AnyArray
    variance: AnyArray
    kind: str = "normal"

    @property
    def nbytes(self) -> int:
        return self.mean.nbytes + self.variance.nbytes

    def __len__(self) -> int:
        return len(self.mean)

    def slice(self, where: slice[Any, Any, Any]) -> Self:
        return type(self)(self.mean[where], self.variance[where])

    def take(self, where: AnyArray) -> Self:
        return type(self)(self.mean[where], self.variance[where])

    def at(self, index: int) -> object:
        return (self.mean.item(index), self.variance.item(index))

    def concat(self, others: Sequence[Any]) -> Self:
        every = [self, *others]
        means, variances = [c.mean for c in every], [c.variance for c in every]
        return type(self)(np.concatenate(means), np.concatenate(variances))

    def equals(self, other: object) -> bool:
        if not isinstance(other, Normal):
            return False
        pairs = ((self.mean, other.mean), (self.variance, other.variance))
        return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


@pytest.fixture
def batch() -> Batch:
    return Batch({"x": [1, 2, 3, 4], "y": Normal(np.arange(4.0), np.ones(4))})


def test_a_column_type_of_ones_own_goes_through_every_verb(batch: Batch) -> None:
    is_column = isinstance(batch["y"], Column)
    assert is_column
    assert len(batch[1:3]["y"]) == 2
    assert np.shares_memory(batch[1:3]["y"].mean, batch["y"].mean)
    late: Any = batch[batch.array("x") > 2]["y"]
    assert late.mean.tolist() == [2.0, 3.0]
    assert batch[2] == {"x": 3, "y": (2.0, 1.0)}
    assert [row["y"][0] for row in batch] == [0.0, 1.0, 2.0, 3.0]
    assert Batch.concat([batch[:1], batch[1:]]) == batch
    assert batch.nbytes == 32 + 64
    assert batch != batch.with_columns(y=Normal(np.zeros(4), np.ones(4)))
    assert batch != batch.with_columns(y=[0.5] * 4)
    assert batch.schema["y"] == Field("y", object, kind="normal")
    assert "y normal" in repr(batch)


def test_a_column_type_of_ones_own_has_the_length_of_the_batch(batch: Batch) -> None:
    with pytest.raises(SchemaError, match="'y' has 1 rows"):
        batch.with_columns(y=Normal(np.zeros(1), np.ones(1)))
    with pytest.raises(SchemaError, match="'y' of batch 1 is float64"):
        Batch.concat([batch, batch.with_columns(y=[0.5] * 4)])


def test_a_column_type_of_ones_own_is_no_array(batch: Batch) -> None:
    assert batch.array("x").sum() == 10
    with pytest.raises(SchemaError, match="'y' is of kind 'normal'"):
        batch.array("y")


def test_rows_cannot_make_a_column_type_of_ones_own() -> None:
    with pytest.raises(SchemaError, match="kind 'normal'"):
        Batch.from_rows([{"y": 1}], Schema([Field("y", object, kind="normal")]))


@pytest.mark.parametrize("extra", ["to_arrow", "to_pandas"])
def test_tables_take_no_column_type_of_ones_own(batch: Batch, extra: str) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("pandas")
    with pytest.raises(SchemaError, match="kind 'normal'"):
        getattr(batch, extra)()
