"""Each row of THREAT_MODEL.md names tests, and they are there."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.house.sources import ROOT

ROWS = re.findall(
    r"^\| ([STRIDE]\d+) \|.*\|(.*)\|$",
    (ROOT / "THREAT_MODEL.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@cache
def names_in(name: str) -> set[str]:
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("row", "cell"), ROWS, ids=[row for row, _ in ROWS])
def test_a_threat_is_held_by_tests_that_are_there(row: str, cell: str) -> None:
    named = NAMED.findall(cell)
    assert named, f"{row} names no test"
    assert NAMED.sub("", cell).strip(" ,") == "", f"{row} names something that is no test"
    assert [f"{path}::{test}" for path, test in named if test not in names_in(path)] == []


def test_every_letter_of_stride_has_rows_that_are_numbered() -> None:
    numbers: dict[str, list[int]] = {}
    for row, _ in ROWS:
        numbers.setdefault(row[0], []).append(int(row[1:]))
    assert list(numbers) == list("STRIDE")
    assert all(each == list(range(1, len(each) + 1)) for each in numbers.values())
