"""Which arm an id has: by its share, the same everywhere, and few move."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.errors import PipelineError, SchemaError
from rxml.models.live import Weights
from rxml.models.live.rendezvous import Rendezvous

IDS = [f"passenger-{number:05d}" for number in range(100_000)]
NAMES = ("a", "b", "c")
shares = st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda each: sum(each) > 0.01)


def arms(weights: list[float], ids: list[str] = IDS, seed: int = 0) -> list[int]:
    rendezvous = Rendezvous(NAMES, seed)
    return [rendezvous.pick(hashed, weights) for hashed in rendezvous.hashes(ids)]


def test_shares_of_100000_ids_are_within_one_percent() -> None:
    count = Counter(arms([0.4, 0.2, 0.4]))
    assert [count[arm] / len(IDS) for arm in range(3)] == pytest.approx([0.4, 0.2, 0.4], abs=0.01)


def test_ids_that_are_numbers_in_a_row_are_parted_as_well() -> None:
    rendezvous = Rendezvous(NAMES)
    count = Counter(
        rendezvous.pick(hashed, [4, 2, 4]) for hashed in rendezvous.hashes(range(-50_000, 50_000))
    )
    assert [count[arm] / len(IDS) for arm in range(3)] == pytest.approx([0.4, 0.2, 0.4], abs=0.01)


def test_another_process_says_the_same() -> None:
    code = (
        "from rxml.models.live.rendezvous import Rendezvous as R\n"
        "r = R(('a', 'b', 'c'), 7)\n"
        "print([r.pick(h, [.4, .2, .4]) for h in r.hashes([f'passenger-{i:05d}' for i in range(50)])])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.strip() == str(arms([0.4, 0.2, 0.4], IDS[:50], 7))


@given(shares, shares)
def test_no_more_ids_move_than_promised(before: list[float], after: list[float]) -> None:
    p, q = ([each / sum(weights) for each in weights] for weights in (before, after))
    distance = sum(abs(x - y) for x, y in zip(p, q, strict=True)) / 2
    ids = IDS[:4000]
    moved = sum(x != y for x, y in zip(arms(p, ids), arms(q, ids), strict=True)) / len(ids)
    assert moved <= 2 * distance / (1 + distance) + 0.04


def test_ids_move_only_to_the_one_whose_weight_rises() -> None:
    ids = IDS[:20_000]
    before, after = arms([4, 2, 4], ids), arms([4, 3, 4], ids)
    moves = {(x, y) for x, y in zip(before, after, strict=True) if x != y}
    assert moves == {(0, 1), (2, 1)}


def test_other_seeds_part_independently() -> None:
    count = Counter(zip(arms([1, 1, 0]), arms([1, 1, 0], seed=1), strict=True))
    assert all(abs(count[pair] / len(IDS) - 0.25) < 0.01 for pair in product((0, 1), (0, 1)))


def test_no_share_is_none() -> None:
    assert set(arms([0, 1, 0], IDS[:1000])) == {1}


def test_an_id_is_a_text_or_a_whole_number() -> None:
    rendezvous = Rendezvous(NAMES)
    assert rendezvous.hashes([12]) == rendezvous.hashes(["12"])
    assert len(rendezvous.hashes(["\udc80"])) == 1
    for wrong in (1.5, None, b"x", [1]):
        with pytest.raises(SchemaError, match="a text or a whole number"):
            rendezvous.hashes([wrong])
    with pytest.raises(ValueError, match="64 bits"):
        Rendezvous(NAMES, 2**64)


def test_weights_are_shares_of_their_sum_and_stay_as_they_were_if_refused() -> None:
    weights = Weights({"a": 1, "b": 3})
    assert weights.now == {"a": 0.25, "b": 0.75}
    weights.set({"b": 1, "a": 1})
    assert weights.shares(["a", "b"]) == [0.5, 0.5]
    for wrong in ({"a": 1}, {"a": 1, "b": "x"}, {"a": 1, "b": True}, {}):
        with pytest.raises(PipelineError):
            weights.set(wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="weight of 'b'"):
            weights.set({"a": 1, "b": bad})
    with pytest.raises(ValueError, match="one weight at least"):
        weights.set({"a": 0, "b": 0})
    assert weights.now == {"a": 0.5, "b": 0.5}
