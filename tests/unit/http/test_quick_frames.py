"""Frames in the layout that most clients write are read like any other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rxml.batch import Batch
from rxml.errors import ProtocolError
from rxml.http.codec import Codec
from rxml.http.protocol import MSGPACK, Next
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
