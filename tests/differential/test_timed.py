"""Namesakes whose result depends on time: outputs and moments, end and error are reactivex's, under virtual time."""

from __future__ import annotations

import pytest

from tests.differential.comparing import compare
from tests.differential.rows_timed import ROWS


@pytest.mark.parametrize(
    ("name", "number"), [(name, i) for name in sorted(ROWS) for i in range(len(ROWS[name]))]
)
def test_a_namesake_gives_what_reactivex_gives_and_when(name: str, number: int) -> None:
    compare(ROWS[name][number])
