"""Different values are counted within the error that was promised, by the same hashes everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from functools import reduce
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from rxml import aggregates as agg
from rxml.aggregates.hashing import hashed
from rxml.errors import SchemaError
from tests.unit.aggregates.rows import array, rows, same

FIVE_SIGMA = 5 * 1.04
KEPT = [
    7302950092046304935,
    5117747979882807896,
    17135239835083093536,
    9067971221381919643,
    7564233832054670496,
]
"""Hashes of the values below: what is in snapshots depends on them, so they stay."""

PRINTED = """
import numpy as np
from rxml.aggregates.hashing import hashed
from rxml.aggregates.states import cells
print(hashed("v", cells(["a", b"a", 1, 0.5, ("a", 1)])).tolist(), hashed("v", np.arange(2)).tolist())
"""


@pytest.mark.parametrize("precision", [6, 10, 12])
@pytest.mark.parametrize("n", [1, 10, 100, 1000, 5000, 20_000, 100_000])
def test_it_is_within_five_sigma(precision: int, n: int) -> None:
    bound = FIVE_SIGMA / 2 ** (precision / 2) * n + 1
    for seed in (1, 2):
        values = np.random.default_rng(seed).permutation(n * 7)[:n] * 1_000_003
        for column in (values, values + 0.5):
            (got,) = rows(column).result(agg.distinct("v", precision), 1)
            assert abs(int(got) - n) <= bound


def test_it_is_without_bias_where_the_first_estimate_had_one() -> None:
    """Around 2.5 times the registers: the mean of 64 runs is within 5 of its own standard deviations."""
    precision, n, runs = 8, 640, 64
    values = np.arange(n * runs)
    got = rows(values, codes=values // n).result(agg.distinct("v", precision), runs)
    deviation = 1.04 / 2 ** (precision / 2) * n / runs**0.5
    assert abs(float(got.mean()) - n) <= 5 * deviation


def test_texts_are_counted_and_repeats_are_not() -> None:
    words = [f"user-{number % 500}" for number in range(5000)]
    (got,) = rows(array(words, "O")).result(agg.distinct("v"), 1)
    assert abs(int(got) - 500) <= FIVE_SIGMA / 64 * 500
    assert same(
        rows(np.array(words)).lifted(agg.distinct("v"), 1),
        rows(array(words, "O")).lifted(agg.distinct("v"), 1),
    )


def test_pieces_with_the_same_values_count_them_once() -> None:
    aggregate = agg.distinct("v", 10)
    values = np.arange(300)
    pieces = [rows(values[start : start + 200]).lifted(aggregate, 1) for start in (0, 50, 100)]
    assert same(reduce(aggregate.combine, pieces), rows(values).lifted(aggregate, 1))


def test_groups_without_rows_have_none() -> None:
    assert rows([1.0], codes=[1]).result(agg.distinct("v"), 3).tolist() == [0, 1, 0]
    assert rows(np.array([], float)).result(agg.distinct("v"), 1).tolist() == [0]


def test_a_full_sketch_answers_still() -> None:
    aggregate = agg.distinct("v", 4)
    full = (np.full((1, 16), 61, np.uint8),)
    assert int(aggregate.lower(full)[0]) > 2**60
    full[0][0, 0] = 60
    assert int(aggregate.lower(full)[0]) > 2**60


@pytest.mark.parametrize(
    "equal",
    [
        [np.array([1, 0]), np.array([True, False]), np.array([1.0, -0.0]), array([1, False], "O")],
        [np.array([1, 2], np.uint8), np.array([1, 2], np.float32), array([np.int8(1), 2.0], "O")],
        [np.array([0.5, np.nan]), np.array([0.5, -np.nan], np.float32), array([0.5, np.nan], "O")],
        [np.array([2**63 + 1], np.uint64), array([2**63 + 1], "O")],
        [np.array([2**63], np.uint64), np.array([2.0**63]), array([2**63], "O")],
        [np.array([2.0**70, -(2.0**64)]), array([2**70, -(2**64)], "O")],
        [np.array([-1, -(2**63)]), np.array([-1.0, -(2.0**63)]), array([-1, -(2**63)], "O")],
        [np.array(["a", "é"]), array(["a", "é"], "O"), array([np.str_("a"), "é"], "O")],
        [np.array([b"a"]), array([b"a"], "O")],
        [
            np.array(["2026-01-01T12:00"], "M8[m]"),
            np.array(["2026-01-01T12:00"], "M8[us]"),
            array([datetime(2026, 1, 1, 12, tzinfo=UTC)], "O"),
            array([datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1)))], "O"),
        ],
        [np.array([2], "m8[s]"), np.array([2000], "m8[ms]"), array([timedelta(seconds=2)], "O")],
    ],
)
def test_equal_values_of_whatever_type_have_one_hash(equal: list[Any]) -> None:
    first, *others = [hashed("v", values).tolist() for values in equal]
    assert all(other == first for other in others)


def test_different_values_have_different_hashes() -> None:
    uuid = UUID(int=97)
    different = [
        *(
            0,
            1,
            -1,
            2**64 - 1,
            -(2**63),
            10**400,
            0.5,
            2**63,
            2**70,
            -(2**70),
            1e300,
            float("inf"),
            float("nan"),
        ),
        *("", "a", "1", b"", b"a", "\ud800", (), ("a",), ("a", "b"), ("ab",), (("a",), "b")),
        *(date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), timedelta(1), uuid),
    ]
    assert len(set(hashed("v", array(different, "O")).tolist())) == len(different)


def test_bits_of_hashes_are_even() -> None:
    for values in (np.arange(4096), np.arange(4096) * 2**40, np.arange(4096) / 3):
        hashes = hashed("v", values)
        for bit in range(64):
            ones = int(((hashes >> np.uint64(bit)) & np.uint64(1)).sum())
            assert abs(ones - 2048) <= 5 * 32


@pytest.mark.parametrize("seed", ["0", "1"])
def test_hashes_are_the_same_in_every_process(seed: str) -> None:
    command = [sys.executable, "-c", PRINTED]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    here = hashed("v", array(["a", b"a", 1, 0.5, ("a", 1)], "O")).tolist()
    assert done.stdout.strip() == f"{here} {hashed('v', np.arange(2)).tolist()}"
    assert here == KEPT


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            None,
            r"row 1: column 'v' is None \(NoneType\), which has no hash that lasts: give a number",
        ),
        (object, r"row 1: column 'v' is <class 'object'> \(type\)"),
        ([1], r"row 1: column 'v' is \[1\] \(list\)"),
        (datetime(2026, 1, 1), r"aware datetime"),  # noqa: DTZ001 - that is what is refused
        (("a", None), r"\(tuple\), which has no hash"),
    ],
)
def test_what_has_no_lasting_hash_is_refused(value: Any, words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        rows(array(["a", value], "O")).lifted(agg.distinct("v"), 1)


def test_vectors_and_precisions_out_of_bounds_are_refused() -> None:
    with pytest.raises(SchemaError, match=r"column 'v' has rows of shape \(2,\): give a function"):
        rows(np.ones((3, 2))).lifted(agg.distinct("v"), 1)
    with pytest.raises(ValueError, match="precision is 3: give an int from 4 to 18"):
        agg.distinct("v", precision=3)
