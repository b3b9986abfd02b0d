"""The index of operators is what the cards say."""

from __future__ import annotations

from tests.house.index import PATH, render


def test_the_index_is_made_from_the_cards() -> None:
    assert PATH.read_text(encoding="utf-8") == render(), "run: python -m tests.house.index"
