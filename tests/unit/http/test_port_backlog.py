"""The kernel keeps many waiting until some have been kept out for too long, and again once they were seen to."""

from __future__ import annotations

import pytest

from rxml.http.backlog import FEW, Backlog

PATIENCE = 1.0


def test_that_fewer_may_be_open_is_no_reason_to_have_fewer_wait() -> None:
    backlog = Backlog(4096, PATIENCE)
    assert backlog.size(narrowed=False) == 4096
    assert backlog.size(narrowed=True) == 4096
    backlog.kept_out(10.0)
    backlog.kept_out(11.0)
    assert not backlog.late
    assert backlog.size(narrowed=True) == 4096


def test_who_has_waited_for_too_long_is_and_then_there_are_few() -> None:
    backlog = Backlog(4096, PATIENCE)
    backlog.kept_out(10.0)
    backlog.kept_out(11.01)
    assert backlog.late
    assert backlog.size(narrowed=True) == FEW
    assert backlog.size(narrowed=False) == 4096
    assert backlog.late


def test_it_begins_anew_when_nobody_waits() -> None:
    backlog = Backlog(4096, PATIENCE)
    for begin in (10.0, 20.0, 30.0):
        backlog.kept_out(begin)
        backlog.kept_out(begin + 0.9)
        assert not backlog.late
        backlog.empty()
    backlog.kept_out(40.0)
    backlog.kept_out(42.0)
    assert backlog.late
    backlog.empty()
    assert not backlog.late


@pytest.mark.parametrize("most", [1, FEW, FEW + 1])
def test_there_are_never_fewer_than_few(most: int) -> None:
    assert Backlog(most, PATIENCE).size(narrowed=False) == max(FEW, most)
