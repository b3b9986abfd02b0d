"""Bounds in bytes see what elements hold, wherever they keep it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.flow.buffers.weigh import weigh
from rxml.testing.virtual_time import run

TEXT = "x" * 10**5


class Struct(msgspec.Struct):
    text: str


class Further(Struct):
    number: int = 0


@dataclass
class Plain:
    text: str


@dataclass(slots=True)
class Slotted:
    text: str


class Secretive:
    __slots__ = ("__text", "unset")

    def __init__(self, text: str) -> None:
        self.__text = text

    def text(self) -> str:
        return self.__text


class Tuple(NamedTuple):
    text: str


HOLDERS: list[Any] = [
    Struct(TEXT),
    Further(TEXT),
    Plain(TEXT),
    Slotted(TEXT),
    Secretive(TEXT),
    Tuple(TEXT),
    {"text": TEXT},
    deque([TEXT]),
    [Struct(TEXT)],
    Batch({"text": [TEXT]})[0],
]


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda each: type(each).__name__)
def test_an_element_weighs_what_it_holds(holder: Any) -> None:
    assert len(TEXT) <= weigh([holder]) < len(TEXT) + 1000


@pytest.mark.parametrize("holder", HOLDERS[:9], ids=lambda each: type(each).__name__)
def test_so_it_does_in_a_column(holder: Any) -> None:
    column = np.empty(1, object)
    column[0] = holder
    assert len(TEXT) <= Batch({"x": column}).nbytes < len(TEXT) + 1000


def test_what_contains_itself_has_a_weight() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert weigh([endless]) < 1000


def test_lists_by_bytes_see_into_structs() -> None:
    flow = rxml.from_iterable([Struct(TEXT) for _ in range(4)])
    lists = run(flow.pipe(ops.buffer(bytes=250_000)).to_list())
    assert [len(each) for each in lists] == [2, 2]
