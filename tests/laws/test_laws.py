"""Every operator that is shipped keeps every law that applies to it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from rxml import operators
from rxml.testing import check_operator
from tests.laws.catalogue import CATALOGUE

if TYPE_CHECKING:
    from tests.laws.case import Case

CASES = {
    f"{name}:{variant}".rstrip(":"): case
    for name, variants in sorted(CATALOGUE.items())
    for variant, case in variants.items()
}

SHARE = 5
"""One in so many examples of the profile: there are more than thirty laws for each case."""


@pytest.mark.no_cover  # counting lines took two thirds of the time; unit tests reach the same ones
@pytest.mark.parametrize("name", CASES)
def test_an_operator_keeps_the_laws(name: str) -> None:
    case: Case = CASES[name]
    examples = max(1, hypothesis.settings().max_examples // SHARE)
    options: dict[str, Any] = {"max_examples": examples, **case.options}
    check_operator(case.op, model=case.model, elements=case.elements, **options)


def test_every_operator_has_a_case() -> None:
    names = {name for name in operators.__all__ if inspect.isfunction(getattr(operators, name))}
    assert names - set(CATALOGUE) == set()


def test_a_case_waives_a_law_only_for_a_reason() -> None:
    waived = {name: case.options.get("waived", {}) for name, case in CASES.items()}
    silent = {name: laws for name, laws in waived.items() if not all(laws.values())}
    assert silent == {}
