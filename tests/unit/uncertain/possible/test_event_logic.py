"""EXISTS, AND, OR, JOIN, HAVING and conditions, against all worlds and against the worst that dependence can do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.errors import DistributionError
from rxml.uncertain.possible.logic import (
    all_there,
    both,
    either,
    exists,
    given_blocks,
    given_worlds,
    having,
)
from tests.unit.uncertain.possible.enumeration import (
    Rows,
    close,
    close_tail,
    expected,
    near,
    several,
    single,
    worlds,
)


@given(single())
def test_some_and_all(rows: Rows) -> None:
    among, p = worlds(rows), rows.p[:, 0]
    some, every = exists(p), all_there(p)
    assert some.low is some.high
    close_tail(some.low, expected((w.chance, float(len(w.rows) > 0)) for w in among))
    close_tail(every.low, expected((w.chance, float(len(w.rows) == rows.n)) for w in among))
    loose, tight = exists(p, dependence="unknown"), all_there(p, dependence="unknown")
    assert loose.low <= some.low + 1e-15
    assert some.high <= loose.high + 1e-15
    assert tight.low <= every.low + 1e-15
    assert every.high <= tight.high + 1e-15


@given(single(), st.integers(0, 4), st.sampled_from([0.0, 0.3, 0.9]))
def test_having(rows: Rows, k: int, threshold: float) -> None:
    tail = expected((w.chance, float(len(w.rows) >= k)) for w in worlds(rows))
    if abs(tail - threshold) > 1e-12 or tail == 0:
        assert having(rows.p[:, 0], k, threshold) == (tail > threshold)


PROBABILITIES = st.floats(0, 1)


@given(PROBABILITIES, PROBABILITIES, st.floats(0, 1))
def test_bounds_hold_for_any_dependence_and_are_reached(a: float, b: float, share: float) -> None:
    low, high = max(0.0, a + b - 1.0), min(a, b)
    meet = low + share * (high - low)  # of any joint distribution with these margins
    ands, ors = both(a, b, dependence="unknown"), either(a, b, dependence="unknown")
    assert ands.low - 1e-15 <= meet <= ands.high + 1e-15
    assert ors.low - 1e-15 <= a + b - meet <= ors.high + 1e-15
    near([ands.low, ands.high], [low, high], atol=1e-15)
    near([ors.high, ors.low], [a + b - low, a + b - high], atol=1e-15)
    near(both(a, b).low, a * b)
    near(either(a, b).low, 1 - (1 - a) * (1 - b), atol=1e-15)


def test_masked_rows_are_neither_there_nor_missing() -> None:
    p, mask = np.array([[0.5, 0.25], [0.5, np.nan]]), np.array([[True, True], [True, False]])
    assert all_there(p, mask=mask).low.tolist() == [0.125, 0.5]
    assert exists(p, mask=mask).low.tolist() == [0.625, 0.5]
    assert all_there(p, mask=mask, dependence="unknown").low.tolist() == [0.0, 0.5]
    assert exists(p, mask=mask, dependence="unknown").high.tolist() == [0.75, 0.5]
    assert all_there(np.zeros(0)).low == 1
    assert exists(np.zeros(0)).high == 0


@given(several(4), st.data())
def test_conditions_inside_blocks(rows: Rows, data: st.DataObject) -> None:
    flags = st.lists(st.booleans(), min_size=rows.n, max_size=rows.n)
    allowed = np.array([data.draw(flags), data.draw(flags)]).reshape(2, rows.n).T
    absent = np.array(data.draw(flags), np.bool_)
    after, agrees = given_blocks(rows.p, allowed, absent=absent)
    for i in range(rows.n):
        alone = Rows(rows.p[i : i + 1], np.array([[0.0, 1.0]]))
        kept = [
            w for w in worlds(alone) if (allowed[i, int(w.values[0])] if len(w.rows) else absent[i])
        ]
        chance = expected((w.chance, 1.0) for w in kept)
        near(agrees[i], chance, atol=1e-15)
        if chance == 0:
            assert np.isnan(after[i]).all()
            continue
        for m in range(2):
            wanted = expected((w.chance, float(len(w.rows) > 0 and w.values[0] == m)) for w in kept)
            near(after[i, m], np.float64(wanted) / chance, atol=1e-15)


def test_conditions_on_worlds() -> None:
    logw = np.log([0.1, 0.2, 0.3, 0.4]) + 5.0  # weights need not be normalised
    event = np.array([[True, False], [False, False], [True, False], [False, False]])
    after, chance = given_worlds(event, logw)
    near(chance, [0.4, 0.0])
    near(np.exp(after[:, 0]), [0.25, 0.0, 0.75, 0.0])
    assert np.isnan(after[:, 1]).all()
    after, chance = given_worlds(event[:, 0])
    close(chance, 0.5)
    close(np.exp(after), [0.5, 0.0, 0.5, 0.0])


def test_what_is_not_said_is_asked_for() -> None:
    with pytest.raises(ValueError, match="dependence"):
        exists(np.array([0.5]), dependence="none")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(DistributionError, match="row 1"):
        both(np.array([0.5, 1.5]), 0.5)
    with pytest.raises(DistributionError, match="at most 1"):
        given_blocks([[0.7, 0.7]], [[True, True]])
