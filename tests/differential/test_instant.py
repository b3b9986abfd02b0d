"""Namesakes whose result does not depend on time: outputs, end and error are reactivex's, on random finite inputs."""

from __future__ import annotations

import inspect

import pytest
from reactivex import operators as rx_operators

from rxml import operators as ops
from tests.differential.comparing import compare
from tests.differential.rows_instant import ROWS
from tests.differential.rows_timed import ROWS as TIMED

EXEMPT: dict[str, str] = {}
"""Namesakes that are not compared, each with the reason."""


def namesakes() -> list[str]:
    return [name for name in ops.__all__ if inspect.isfunction(getattr(rx_operators, name, None))]


def test_every_namesake_has_a_row_or_a_reason() -> None:
    compared = {*ROWS, *TIMED}
    assert set(namesakes()) == {*compared, *EXEMPT}
    assert not compared & set(EXEMPT)


@pytest.mark.parametrize(
    ("name", "number"), [(name, i) for name in sorted(ROWS) for i in range(len(ROWS[name]))]
)
def test_a_namesake_gives_what_reactivex_gives(name: str, number: int) -> None:
    compare(ROWS[name][number])
