"""Columns of distributions that are kept and sent: copies, rows, a log of facts, a store; and forged messages."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from rxml import wire
from rxml.batch import Batch
from rxml.errors import SchemaError, WireError
from rxml.uncertain import KINDS, Alternatives, Bernoulli, Categorical, Interval, Normal, Rows
from rxml.wire.distributions import DISTRIBUTION
from rxml.wire.registry import write_of
from rxml.wire.writer import Writer
from tests.unit.uncertain.columns.kinds import EVERY, columns

READ: list[Any] = []


def used(column: Rows) -> None:
    """Everything that a column which was accepted may be asked for."""
    assert type(column).kind in KINDS
    assert len(repr(column)) < 2000
    if column.shape:
        assert column.slice(slice(0, 1)).concat([column.slice(slice(1, None))]).equals(column)
    assert wire.loads(wire.dumps(column)).equals(column)
    for name in ("mean", "var", "p", "bounds", "entropy", "presence", "width"):
        reading = getattr(type(column), name, None)
        if reading is not None and not (isinstance(column, Bernoulli) and name != "bounds"):
            with np.errstate(all="ignore"):
                _read(column, name)


def _read(column: Any, name: str) -> None:
    value = getattr(column, name)
    READ[:] = [value]
    if column.kind != "alternatives" and callable(value):
        READ[:] = [value()]


def read_or_refused(message: bytes) -> None:
    try:
        value: object = wire.loads(message)
    except WireError:
        return
    if isinstance(value, Rows):
        used(value)


@pytest.mark.parametrize("kind", EVERY)
@settings(max_examples=20)
@given(data=st.data())
def test_a_damaged_message_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    message = bytearray(wire.dumps(data.draw(columns(kind))))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(message) - 1))
        message[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
        if not message:
            break
    read_or_refused(bytes(message))


NUMBERS = st.sampled_from(
    [0.0, 1.0, -1.0, 0.5, 1e308, -1e308, 5e-324, 1000.0, np.inf, -np.inf, np.nan]
)
SHAPES = st.sampled_from([(), (1,), (2,), (0,), (2, 2), (1, 2), (2, 0), (0, 2), (2, 2, 2)])
ARRAYS: st.SearchStrategy[Any] = SHAPES.flatmap(
    lambda shape: st.one_of(
        st.lists(NUMBERS, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))).map(
            lambda values: np.array(values, np.float64).reshape(shape)
        ),
        st.sampled_from(["?", "i8", "u8", "f4", ">f8", "U2", "c16", "M8[s]"]).map(
            lambda dtype: np.zeros(shape, dtype)
        ),
    )
)
VALUES = ARRAYS | st.none() | st.integers(-1, 3) | st.text(max_size=2) | NUMBERS


@pytest.mark.parametrize("kind", EVERY)
@settings(max_examples=30)
@given(data=st.data())
def test_forged_parameters_are_read_or_refused(kind: str, data: st.DataObject) -> None:
    names = KINDS[kind].axes
    parameters = {name: data.draw(VALUES) for name in names if data.draw(st.integers(0, 7))}
    read_or_refused(forged([kind, parameters]))


@pytest.mark.parametrize(
    "payload",
    [
        None, [], ["normal"], ["normal", {}], ["normal", None], ["normal", [1]], [3, {}], [[], {}],
        ["normal", {"mean": np.zeros(2)}], ["no such", {}], ["normal", {1: np.zeros(2)}],
        ["normal", {"cls": np.zeros(2)}], ["normal", {"mean": np.zeros(2), "var": -np.ones(2)}],
        ["normal", {"mean": np.zeros(2), "var": np.ones(2), "more": np.ones(2)}],
        ["bernoulli", {"low": np.array([0.5]), "high": np.array([0.5]), "inside": np.zeros((2, 1), bool)}],
        ["bernoulli", {"low": np.ones(1), "high": np.ones(1), "inside": np.ones((1, 1), bool), "logw": np.array([1000.0])}],
        ["interval", {"lo": np.zeros(1), "hi": np.ones(1), "level": np.ones(1), "sort": np.array(7)}],
        ["worlds", {"values": np.ones((2, 1)), "world": np.array([None], object)}],
        ["categorical", {"logp": np.zeros((1, 1)), "classes": np.array([[1]])}],
        ["categorical", {"logp": np.zeros((1, 1)), "classes": np.array([{}], object)}],
    ],
)  # fmt: skip
def test_what_is_no_column_is_a_wire_error(payload: Any) -> None:
    with pytest.raises(WireError):
        wire.loads(forged(payload))


def forged(payload: Any) -> bytes:
    writer = Writer(write_of)
    start = writer.open()
    writer.value(payload)
    writer.close(start, DISTRIBUTION)
    return writer.finish()


@pytest.mark.parametrize("kind", EVERY)
@settings(max_examples=8)
@given(data=st.data())
def test_copies_are_equal_and_cannot_be_written_to(kind: str, data: st.DataObject) -> None:
    column = data.draw(columns(kind))
    batch = Batch({"x": column, "n": np.arange(len(column))})
    for again in (copy.copy(column), copy.deepcopy(column), pickle.loads(pickle.dumps(column))):
        assert again.equals(column)
        assert not any(a.flags.writeable for a in again.parameters().values() if a is not None)
    assert copy.deepcopy(batch) == batch
    assert batch[0] == batch[:1][0]
    assert pickle.loads(pickle.dumps(batch)) == batch


def test_batches_and_rows_differ_where_a_parameter_does() -> None:
    batch = Batch({"x": Normal([0.0, 1.0], 1.0)})
    other = Batch({"x": Normal([0.0, 1.5], 1.0)})
    assert batch != other
    assert batch[0] == other[0]
    assert batch[1] != other[1]
    assert batch != Batch({"x": Interval([0.0, 1.0], 2.0)})
    assert batch[0] != {"x": 0.0}
    assert batch[0] != Batch({"x": np.array([0.0])})[0]


def test_tables_of_others_get_plain_readings() -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    batch = Batch(
        {
            "n": [1, 2],
            "x": Normal([0.0, 1.0], [4.0, np.inf]),
            "r": Interval([0.0, 1.0], 3.0, level=0.9),
            "e": Bernoulli.between([0.5, 0.2], [0.5, 0.3]),
            "c": Categorical([[0.75, 0.25], [0.5, 0.5]], ["a", "b"]),
            "a": Alternatives([["u"], ["v"]], [[0.5], [1.0]]),
        }
    )
    names = "n x.mean x.var r.lo r.hi r.level e.p e.low e.high c.mode c.certainty a.presence"
    for table in (batch.to_pandas(), batch.to_arrow().to_pandas()):
        assert list(table.columns) == names.split()
        assert table["x.var"].tolist() == [4.0, np.inf]
        assert table["r.level"].tolist() == [0.9, 0.9]
        assert table["e.p"][0] == 0.5
        assert np.isnan(table["e.p"][1])
        assert table["c.mode"].tolist() == ["a", "a"]
    with pytest.raises(SchemaError, match=r"'x\.mean' is called as a reading of another"):
        Batch({"x.mean": [0.0, 1.0], "x": Normal([0.0, 1.0], 1.0)}).to_pandas()
