"""Frames in the layout that most clients write are read like any other."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from rxml.batch import Batch
from rxml.errors import ProtocolError
from rxml.http.codec import Codec
from rxml.http.protocol import (
    MOST,
    MSGPACK,
    Drain,
    Error,
    Frame,
    Next,
    Reject,
    Request,
    Resume,
    Subscribe,
    name_of,
)
from rxml.wire import Limits, dumps

CODEC = Codec(MSGPACK, Limits())


def read(**frame: Any) -> Any:
    """What comes of a frame of a client."""
    return CODEC.from_client(dumps(frame), text=False)


@pytest.mark.parametrize("items", [[1, 2], [{"x": 1.0}], Batch({"x": np.ones(3)}), "none"])
@pytest.mark.parametrize("id_", [0, 1, 127, 128, 70_000])
def test_the_layout_does_not_matter(items: Any, id_: int) -> None:
    assert read(type="next", id=id_, items=items) == Next(id_, items)
    assert read(id=id_, items=items, type="next") == Next(id_, items)
    assert read(type="next", id=id_, seq=5, items=items) == Next(id_, items, 5)


@pytest.mark.parametrize(
    "frame",
    [
        Request(1, MOST),
        Subscribe(70_000, 1, "/é", None, Resume(2**63 - 1)),
        Reject(3, 2**40, "no", 504),
        Error(1, "failed", "words", 5),
        Drain(200),
    ],
    ids=name_of,
)
def test_a_frame_without_items_is_written_as_any_map(frame: Frame) -> None:
    assert CODEC.encode(frame) == dumps(msgspec.to_builtins(frame))


@pytest.mark.parametrize(
    "data",
    [
        dumps({"type": "next", "id": 1, "items": [1]})[:-1],
        dumps({"type": "next", "id": 1, "items": [1]}) + b"\x00",
        dumps({"type": "next", "id": 1, "items": [1]})[:17],
        b"\x83\xa4type\xa4next\xa2id",
        dumps({"type": "next", "id": -1, "items": [1]}),
    ],
    ids=["cut", "more", "no items", "no id", "negative"],
)
def test_what_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        CODEC.from_client(data, text=False)
