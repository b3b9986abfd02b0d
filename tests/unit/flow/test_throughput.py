"""Throughput: what is learnt in a bad moment is learnt anew, whatever little is let in by it."""

from __future__ import annotations

import pytest

from rxml.flow.throughput import Throughput


def worked(through: Throughput, now: float, *, each: float, count: int, behind: int) -> float:
    """A second of results, `count` at a time; the moment behind it."""
    end = now + 1.0
    while now < end:
        through.record(count, now, behind)
        now += each
    return now


def test_nothing_is_known_before_anything_came() -> None:
    through = Throughput()
    through.record(4, 1.0, 0)
    assert through.seconds(1000) == 0.0


def test_a_full_queue_tells_the_rate() -> None:
    through = Throughput()
    worked(through, 0.0, each=0.01, count=10, behind=100)
    assert through.seconds(1000) == pytest.approx(1.0, rel=1e-6)


def test_short_bursts_are_added_up() -> None:
    through, now = Throughput(), 0.0
    for _ in range(100):
        for behind in (12, 8, 4, 0):
            through.record(4, now, behind)
            now += 0.001
        now += 1.0
    assert through.seconds(4000) == pytest.approx(1.0, rel=1e-6)


def test_a_rate_of_a_bad_moment_is_left_though_hardly_any_are_let_in() -> None:
    through = Throughput()
    now = worked(through, 0.0, each=0.5, count=1, behind=10)
    assert through.seconds(2) == pytest.approx(1.0)
    worked(through, now, each=0.0001, count=1, behind=1)
    assert through.seconds(100) < 0.02


def test_few_that_wait_do_not_make_it_seem_slow() -> None:
    through = Throughput()
    now = worked(through, 0.0, each=0.001, count=10, behind=100)
    worked(through, now, each=0.1, count=1, behind=1)
    assert through.seconds(10_000) == pytest.approx(1.0, rel=0.01)


def test_times_without_work_do_not_count() -> None:
    through = Throughput()
    now = worked(through, 0.0, each=0.001, count=10, behind=100)
    through.record(10, now, 0)
    worked(through, now + 100, each=0.001, count=10, behind=100)
    assert through.seconds(10_000) == pytest.approx(1.0, rel=0.01)


def test_a_pause_is_not_what_work_costs() -> None:
    through = Throughput()
    now = worked(through, 0.0, each=0.001, count=10, behind=100)
    for _ in range(20):
        now += 0.05
        for _ in range(60):
            through.record(10, now, 100)
            now += 0.001
            assert through.seconds(10_000) < 1.25


@pytest.mark.parametrize("rate", [1000.0, 100.0, 10.0])
def test_what_has_become_slow_is_found_out(rate: float) -> None:
    through = Throughput()
    now = worked(through, 0.0, each=0.001, count=10, behind=100)
    for _ in range(10):
        now = worked(through, now, each=1 / rate, count=1, behind=100)
    assert through.seconds(100) == pytest.approx(100 / rate, rel=0.2)
