"""Partitions are found from ids: stable, alike in size, whoever talks most."""

from __future__ import annotations

import random

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from rxml.facts.partition import partition_of, partitions_of


def ids(count: int) -> list[str]:
    """As `new_id` makes them: a time that hardly moves, then chance."""
    chance = random.Random(3)
    return [
        f"{1_700_000_000_000 + at // 100:016x}{chance.getrandbits(64):016x}" for at in range(count)
    ]


def test_a_sensor_with_nine_tenths_of_the_facts_burdens_all_partitions_alike() -> None:
    named = ids(20_000)
    keys = np.array(["hot" if at % 10 else f"lion-{at}" for at in range(len(named))])
    where = partitions_of(named, 16)
    for facts in (where, where[keys == "hot"]):
        loads = np.bincount(facts, minlength=16)
        assert loads.max() / loads.mean() <= 1.2


def test_the_partition_is_the_same_for_ever() -> None:
    assert [partition_of(name, 16) for name in ("a", "asdf", "")] == [0xB, 0xE, 0x9]


@given(st.lists(st.text(max_size=40)), st.integers(1, 1000), st.integers(0, 2**64 - 1))
def test_a_column_is_partitioned_as_its_ids(names: list[str], n: int, seed: int) -> None:
    found = partitions_of(names, n, seed).tolist()
    assert found == [partition_of(name, n, seed) for name in names]
    assert all(0 <= each < n for each in found)


@pytest.mark.parametrize(("n", "seed"), [(0, 0), (-1, 0), (1, -1), (1, 2**64)])
def test_what_is_out_of_bounds_is_refused(n: int, seed: int) -> None:
    with pytest.raises(ValueError, match="wants"):
        partition_of("a", n, seed)
    with pytest.raises(ValueError, match="wants"):
        partitions_of(["a"], n, seed)
