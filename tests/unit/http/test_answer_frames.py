"""Frames of answers in columns say what the general way of writing them says, in as aligned a place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.batch import Batch
from rxml.errors import WireError
from rxml.http.codec import Codec
from rxml.http.predict.frames import Frames
from rxml.http.protocol import MOST, MSGPACK, Next
from rxml.wire import Limits, dumps, loads
from rxml.wire.message import dumps_between

MAKER = {"model": "m", "version": "7", "rung": "primary"}
MAKERS = st.dictionaries(st.sampled_from([*MAKER, "reason"]), st.text(max_size=40))


@given(st.integers(0, MOST), st.lists(st.tuples(st.integers(0, 2**63), MAKERS), min_size=1))
def test_they_say_the_same(id_: int, asked: list[tuple[int, dict[str, Any]]]) -> None:
    frames, codec = Frames(id_), Codec(MSGPACK, Limits())
    for number, (seq, maker) in enumerate(asked):
        items = Batch({"value": np.arange(number + 1.0), "label": np.full(number + 1, "a", object)})
        data = frames.of(seq, items, maker)
        assert data is not None
        said = loads(data)
        assert said == {"type": "next", "id": id_, "seq": seq, "items": items, **maker}
        assert list(said) == ["type", "id", "seq", "items", *maker]
        assert said["items"].array("value").flags.aligned
        assert codec.from_server(data, text=False) == Next(id_, items, seq)


@pytest.mark.parametrize("model", [np.float64(1.0), np.arange(2.0), None, 3])
def test_what_is_no_text_is_left_to_others(model: Any) -> None:
    frames, items = Frames(1), Batch({"value": np.ones(2)})
    assert frames.of(0, items, MAKER) is not None
    assert frames.of(0, items, {**MAKER, "model": model}) is None
    data = frames.of(2, items, MAKER)
    assert data is not None
    assert loads(data)["model"] == "m"


def test_a_column_without_a_form_is_refused() -> None:
    with pytest.raises(WireError, match="value"):
        Frames(1).of(0, Batch({"value": np.array([object()])}), MAKER)


@given(st.binary(max_size=20), st.sampled_from([1, "x", [1.5], {"a": np.arange(3.0)}]))
def test_a_value_between_others_is_aligned_by_where_it_lies(text: bytes, value: Any) -> None:
    before, behind = b"\x93" + dumps(text), dumps("end")
    got = loads(dumps_between(before, value, behind))
    assert (got[0], got[2]) == (text, "end")
    if isinstance(value, dict):
        array = got[1]["a"]
        assert array.tolist() == [0.0, 1.0, 2.0]
    else:
        assert got[1] == value
    with pytest.raises(WireError):
        dumps_between(before, object(), behind)
