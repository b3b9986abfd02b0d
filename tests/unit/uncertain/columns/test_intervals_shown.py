"""What an interval looks like to who prints it."""

from __future__ import annotations

import pytest

from rxml.uncertain import Interval


@pytest.mark.parametrize("sort", ["bound", "central", "conformal"])
def test_an_interval_names_its_sort(sort: str) -> None:
    level = 1.0 if sort == "bound" else 0.9
    shown = repr(Interval(1.0, 2.0, level=level, sort=sort))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert shown == f"Interval(lo=1, hi=2, level={level:g}, sort={sort!r})"
    column = repr(Interval([1.0], [2.0], level=level, sort=sort))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert column.endswith(f"sort={sort!r})")
