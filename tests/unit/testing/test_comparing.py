"""Comparing results where `==` is not enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rxml.testing.comparing import beyond, same, same_multiset

NAN = float("nan")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, np.int64(1)),
        (1.5, np.float64(1.5)),
        (True, np.True_),
        (NAN, float("nan")),
        ([NAN, {"a": NAN}], [float("nan"), {"a": float("nan")}]),
        ((1, [2]), (1, [2])),
        (ValueError("a", 1), ValueError("a", 1)),
        (np.array([1.0, NAN]), np.array([1.0, NAN])),
        ([np.array([1])], [np.array([1])]),
        (None, None),
    ],
)
def test_the_same(one: Any, other: Any) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (NAN, 1.0),
        ([1], (1,)),
        ([1], [1, 2]),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": 1, "b": 1}),
        (ValueError("a"), ValueError("b")),
        (ValueError("a"), KeyError("a")),
        (ValueError("a"), "a"),
        (np.array([1]), np.array([1.0])),
        (np.array([1]), np.array([[1]])),
        (np.array([1, 2]), np.array([1, 3])),
        (np.array([1]), [1]),
        (None, 0),
        (1, 1.0),
        (1, True),
        (1.0, True),
        (1, 1 + 0j),
        ([1], [1.0]),
    ],
)
def test_not_the_same(one: Any, other: Any) -> None:
    assert not same(one, other)
    assert not same(other, one)


def test_multisets_count_elements_that_need_not_be_hashable() -> None:
    assert same_multiset([[1], NAN, [2], [1]], [[1], [1], [2], NAN])
    assert not same_multiset([1, 1, 2], [1, 2, 2])
    assert beyond([1, 1, 2], [2, 1]) == [1]
