from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from rxml.batch import Batch, Field, Schema
from rxml.errors import PipelineError
from rxml.models.columns import WORTH_A_LOOK, Rows, as_wanted, empty

LONG = WORTH_A_LOOK


def scalars(width: int) -> Schema:
    return Schema(Field(f"x{i}", "float64") for i in range(width))


@given(
    rows=st.sampled_from([0, 1, 2, 7, LONG, LONG + 1]),
    width=st.integers(1, 5),
    order=st.sampled_from(["C", "F"]),
    step=st.integers(1, 3),
    dtype=st.sampled_from(["float64", "float32", "int64", "bool"]),
)
def test_rows_are_the_columns_side_by_side(
    rows: int, width: int, order: Any, step: int, dtype: str
) -> None:
    matrix = np.arange(rows * step * width).reshape(rows * step, width) % 9
    matrix = np.asarray(matrix, dtype, order=order)[::step]
    batch = Batch({f"x{i}": matrix[:, i] for i in range(width)})
    got = Rows(scalars(width)).of(batch)
    assert (got.dtype, got.shape) == (np.dtype("float64"), matrix.shape)
    assert got.strides[1] == 8 or not rows or width == 1
    np.testing.assert_array_equal(got, matrix)


def test_many_rows_of_one_matrix_are_not_copied() -> None:
    matrix = np.arange(LONG * 6.0).reshape(LONG, 6)
    batch = Batch({f"x{i}": matrix[:, i + 1] for i in range(4)})
    got = Rows(scalars(4)).of(batch)
    assert np.shares_memory(got, matrix)
    assert not got.flags.writeable
    np.testing.assert_array_equal(got, matrix[:, 1:5])


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 0, 1), (0, 2, 3)])
def test_columns_of_one_matrix_that_do_not_lie_in_order_are_copied(order: tuple[int, ...]) -> None:
    matrix = np.arange(LONG * 4.0).reshape(LONG, 4)
    batch = Batch({f"x{i}": matrix[:, j] for i, j in enumerate(order)})
    np.testing.assert_array_equal(Rows(scalars(3)).of(batch), matrix[:, order])


def test_vectors_and_scalars_stand_side_by_side() -> None:
    inputs = Schema([Field("v", "float64", (2,)), Field("s", "int64"), Field("w", "float64", (1,))])
    vector = np.arange(6.0).reshape(3, 2)
    batch = Batch({"w": vector[:, :1], "s": np.array([7, 8, 9]), "v": vector})
    wanted = np.column_stack([vector, [7, 8, 9], vector[:, 0]])
    np.testing.assert_array_equal(Rows(inputs).of(batch), wanted)


def test_one_vector_is_not_copied() -> None:
    vector = np.arange(6.0).reshape(3, 2)
    rows = Rows(Schema([Field("v", "float64", (2,))]))
    assert np.shares_memory(rows.of(Batch({"v": vector})), vector)
    across = np.asfortranarray(vector)
    assert rows.of(Batch({"v": across})).strides[1] == 8


def test_the_dtype_is_that_of_the_inputs() -> None:
    assert Rows(Schema.of(a="float32", b="bool")).dtype == np.float32
    assert Rows(Schema.of(a="int64", b="bool")).dtype == np.float64


@pytest.mark.parametrize("field", [Field("x", str), Field("x", "float64", (2, 2))])
def test_what_is_no_row_of_numbers_is_refused(field: Field) -> None:
    with pytest.raises(PipelineError, match="a row of numbers is made of"):
        Rows(Schema([field]))


def test_inputs_get_the_dtypes_wanted() -> None:
    batch = Batch({"a": np.array([1.5], np.float32), "b": np.array([2.0])})
    inputs = Schema.of(a="float64", b="float64")
    assert as_wanted(batch, inputs).schema == inputs
    assert as_wanted(batch, Schema.of(a="float32")) is batch


def test_no_rows_have_the_forms_of_the_outputs() -> None:
    outputs = Schema([Field("value", str), Field("shares", "float32", (3,))])
    assert empty(outputs).schema == outputs
    assert len(empty(outputs)) == 0
