"""Every operator has its card, its example, its laws and its line in the index."""

from __future__ import annotations

import inspect
import re
from doctest import DocTestFinder
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.house.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

OPERATORS: Any = import_module("rxml.operators")
NAMES: list[str] = list(getattr(OPERATORS, "__all__", ()))
CARDS = [name for name in NAMES if inspect.isfunction(getattr(OPERATORS, name, None))]
"""The operators. Other public names, such as policies, need a docstring only."""

CARD: Sequence[tuple[str, str]] = (
    ("a first sentence that ends with a full stop", r"\A[A-Z`][^\n]*(?:\n[^\n]+)*\."),
    ("Marble:", r"^Marble:"),
    ("Demand:", r"^Demand:"),
    ("Buffers:", r"^Buffers:"),
    ("Emits: or Completes:", r"^(?:Emits|Completes):"),
    ("Fails:", r"^Fails:"),
    ("Cancels:", r"^Cancels:"),
    ("Cost:", r"^Cost:"),
    ("an example that runs: >>>", r"^ *>>> "),
)


def missing(card: str) -> str | None:
    """The first part of a card that is absent or out of order."""
    at = 0
    for part, pattern in CARD:
        found = re.compile(pattern, re.MULTILINE).search(card, at)
        if found is None:
            return part
        at = found.end()
    return None


def card(*without: str) -> str:
    lines = ["Does it to each.", *(part for part, _ in CARD[1:4])]
    lines += ["Emits: x", *(part for part, _ in CARD[5:8]), ">>> 1"]
    return "\n\n".join(line for line in lines if not line.startswith(without or ("\0",)))


def test_the_operators_are_listed() -> None:
    assert NAMES, "rxml.operators has no __all__: no card, law or index would be checked"
    assert CARDS, "rxml.operators.__all__ holds no function"


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there_and_documented(name: str) -> None:
    assert inspect.getdoc(getattr(OPERATORS, name)), f"{name} has no docstring"


@pytest.mark.parametrize("name", CARDS)
def test_an_operator_has_its_card(name: str) -> None:
    text = inspect.getdoc(getattr(OPERATORS, name)) or ""
    assert missing(text) is None, f"the card of {name} lacks (or has out of order) {missing(text)}"


@pytest.mark.parametrize("name", CARDS)
def test_the_example_is_executed(name: str) -> None:
    function = getattr(OPERATORS, name)
    examples = [each for test in DocTestFinder().find(function, name) for each in test.examples]
    skipped = [each.source for each in examples if "+SKIP" in each.source]
    assert examples, f"{name} has no example that doctest finds"
    assert skipped == []
    assert any(each.want for each in examples), f"the example of {name} shows no result"


@pytest.mark.parametrize("name", CARDS)
def test_an_operator_is_in_the_index(name: str) -> None:
    index = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    assert re.search(rf"`(?:ops\.)?{name}\b", index), f"docs/operators.md does not name `{name}`"


@pytest.mark.parametrize("name", CARDS)
def test_an_operator_is_held_to_the_laws(name: str) -> None:
    catalogue = import_module("tests.laws.catalogue").CATALOGUE
    assert name in catalogue, f"tests/laws/catalogue.py has no entry for {name}"


def test_the_laws_are_of_no_operator_that_is_gone() -> None:
    catalogue = import_module("tests.laws.catalogue").CATALOGUE
    assert set(catalogue) <= set(NAMES)


def test_a_whole_card_lacks_nothing() -> None:
    assert missing(card()) is None


@pytest.mark.parametrize(
    "part", ["Does", "Marble", "Demand", "Buffers", "Emits", "Fails", "Cancels", "Cost", ">>>"]
)
def test_a_card_without_a_part_is_refused(part: str) -> None:
    assert missing(card(part)) is not None


def test_a_card_out_of_order_is_refused() -> None:
    swapped = card().replace("Demand:", "Fails :").replace("Fails:", "Demand:")
    assert missing(swapped) is not None
