"""How many rows go into a batch where one row alone takes too long."""

from __future__ import annotations

from rxml.models.scoring.cost import Cost


def sizes(base: float, row: float) -> list[int]:
    """Of batches that take so many seconds each, and for each row, under a budget of 50 ms."""
    cost = Cost(0.05, 256)
    made: list[int] = []
    for number in range(400):
        made.append(cost.size if number > 5 else 1 + number % 3)
        cost.record(made[-1], base + row * made[-1])
    return made[100:]


def test_rows_that_are_free_go_along_where_one_takes_longer_than_the_budget() -> None:
    made = sizes(0.5, 0.0)
    assert max(made) == 256
    assert sum(made) / len(made) > 64


def test_rows_that_are_not_free_do_not() -> None:
    assert set(sizes(0.0, 0.5)) == {1}
