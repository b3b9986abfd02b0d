"""XXH64 is the published one, and a column hashes as its texts do."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rxml.facts.hashing import hash_of, hashes_of

# Vectors of the reference implementation, as the tests of Go's cespare/xxhash have them.
VECTORS = {
    "": 0xEF46DB3751D8E999,
    "a": 0xD24EC4F1A98C6E5B,
    "as": 0x1C330FB2D66BE179,
    "asd": 0x631C37CE72A97393,
    "asdf": 0x415872F599CEA71E,
    "Call me Ishmael. Some years ago--never mind how long precisely-": 0x02A2E85470D6FD96,
}


@pytest.mark.parametrize("text", VECTORS)
def test_the_hash_is_xxh64(text: str) -> None:
    assert hash_of(text) == VECTORS[text]


def test_a_column_of_other_lengths_is_xxh64_too() -> None:
    assert hashes_of(list(VECTORS)).tolist() == list(VECTORS.values())


@given(st.lists(st.text(max_size=80)), st.integers(0, 2**64 - 1))
def test_a_column_hashes_as_its_texts(texts: list[str], seed: int) -> None:
    assert hashes_of(texts, seed).tolist() == [hash_of(text, seed) for text in texts]


def test_another_seed_is_another_hash() -> None:
    assert hash_of("a", 1) != hash_of("a", 2)
