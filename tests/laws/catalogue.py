"""The catalogue: the law cases of all families, by operator and variant."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.laws.case import Case

FAMILIES = Path(__file__).parent / "families"


def catalogue(folder: Path = FAMILIES) -> dict[str, dict[str, Case]]:
    """Cases by operator, then by variant ("" is the plain one).

    Raises:
        ValueError: two families have a case of the same name.
    """
    merged: dict[str, dict[str, Case]] = {}
    for path in sorted(folder.glob("*.py")):
        cases: dict[str, Case] = import_module(f"tests.laws.families.{path.stem}").CASES
        for full_name, case in cases.items():
            name, _, variant = full_name.partition(":")
            variants = merged.setdefault(name, {})
            if variant in variants:
                raise ValueError(f"{path.name}: there is a case {full_name!r} already")
            variants[variant] = case
    return merged


CATALOGUE = catalogue()
