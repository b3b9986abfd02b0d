"""How many rows go into a batch where one row alone takes too long."""

from __future__ import annotations

from rxml.models.scoring.cost import Cost


def test_rows_that_are_free_go_along_where_one_takes_longer_than_the_budget() -> None:
    free, dear = Cost(0.05, 256), Cost(0.05, 256)
    for number in range(400):
        for cost, base, row in ((free, 0.5, 0.0), (dear, 0.0, 0.5)):
            rows = cost.size if number > 5 else 1 + number % 3
            cost.record(rows, base + row * rows)
    assert free.size == 256
    assert dear.size == 1
