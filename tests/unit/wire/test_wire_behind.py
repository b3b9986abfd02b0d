"""What is read behind a beginning that one knows is what the whole message holds, down to what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.batch import Batch
from rxml.errors import WireError
from rxml.wire import Limits, dumps
from rxml.wire.message import loads, loads_behind

DTYPES = ["<f8", "<f4", ">f8", "<i8", "<i2", "|u1", "<c16", "|b1", "<M8[us]", "<U3"]
SHAPES: list[tuple[int, ...]] = [(), (3,), (2, 2), (0,)]


def framed(items: Any) -> tuple[bytes, int]:
    """A frame around items, and where they begin."""
    head = dumps({"type": "next", "id": 7})[1:]
    message = dumps({"type": "next", "id": 7, "items": items})
    return message, 1 + len(head) + len(dumps("items"))


def outcome(data: bytes, limits: Limits | None = None, at: int | None = None) -> Any:
    """The items of a frame, or None if it is refused."""
    bounds = limits or Limits()
    try:
        return (
            loads(data, limits=bounds)["items"]
            if at is None
            else loads_behind(data, at, 6, limits=bounds)
        )
    except WireError:
        return None


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    rows = draw(st.integers(0, 5))
    names = draw(st.lists(st.sampled_from(["x", "features", "ß", "n" * 40]), unique=True))
    columns: dict[str, Any] = {}
    for name in names:
        shape = (rows, *draw(st.sampled_from(SHAPES)))
        columns[name] = np.ones(shape).astype(draw(st.sampled_from(DTYPES)))
    return Batch(columns)


@given(batches())
def test_batches(batch: Batch) -> None:
    message, at = framed(batch)
    read = loads_behind(message, at, 6)
    assert read == batch
    assert all(not column.flags.writeable for column in read.columns.values())
    assert {name: read[name].dtype for name in read.names} == {
        name: batch[name].dtype for name in batch.names
    }


@given(
    st.recursive(st.none() | st.integers(0, 300) | st.floats(allow_nan=False) | st.text(), st.lists)
)
def test_other_values(value: Any) -> None:
    message, at = framed(value)
    assert loads_behind(message, at, 6) == value


@given(batches(), st.data())
def test_whatever_is_changed_is_refused_by_both_or_read_alike(
    batch: Batch, data: st.DataObject
) -> None:
    message, at = framed(batch)
    changed = bytearray(message)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(at, len(message) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(at, len(message)) | st.just(len(message)))
    mutated = bytes(changed[:end])
    with np.errstate(all="ignore"):
        assert outcome(mutated, at=at) == outcome(mutated)


@pytest.mark.parametrize(
    "limits",
    [
        Limits(max_bytes=300),
        Limits(max_ext=300),
        Limits(max_items=7),
        Limits(max_containers=1),
        Limits(max_depth=2),
        Limits(max_str=4),
    ],
    ids=["bytes", "ext", "items", "containers", "depth", "str"],
)
def test_limits_hold(limits: Limits) -> None:
    message, at = framed(Batch({"features": np.ones((8, 20))}))
    assert outcome(message, limits) is None
    assert outcome(message, limits, at) is None


def test_columns_of_different_lengths_are_refused() -> None:
    message, at = framed(Batch({"a": np.ones(4), "b": np.ones(4)}))
    longer, _ = framed(Batch({"a": np.ones(4), "b": np.ones((4, 1))}))
    assert loads_behind(longer, at, 6).names == ("a", "b")
    forged = longer.replace(np.array([4, 1], "<u8").tobytes(), np.array([1, 4], "<u8").tobytes())
    assert outcome(message) is not None
    assert outcome(forged) is None
    assert outcome(forged, at=at) is None


def test_a_name_twice_is_refused() -> None:
    message, at = framed(Batch({"a": np.ones(4), "b": np.ones(4)}))
    forged = message.replace(b"\xa1b", b"\xa1a")
    assert outcome(forged) is None
    assert outcome(forged, at=at) is None
