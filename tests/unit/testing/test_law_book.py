"""The law book: numbers, names and sentences, in the code and in the docs."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

from rxml.testing.law import FAMILIES, LAWS, book, law
from tests.house.sources import ROOT

PAGE = ROOT / "docs" / "laws.md"
ROW = re.compile(r"^\| (L\d+) \| `([a-z-]+)` \| (.+?) \|$", re.MULTILINE)


def test_the_page_lists_the_laws_in_the_order_in_which_they_are_tried() -> None:
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert rows == [(each.number, each.name, each.sentence) for each in book()]


def test_every_law_is_a_sentence_of_one_family() -> None:
    for each in LAWS.values():
        assert each.family in FAMILIES
        assert each.sentence.endswith(".")
        assert each.effort > 0


def test_a_law_without_a_sentence_or_with_a_taken_name_is_refused() -> None:
    def nameless(trial: Any) -> None: ...

    def demand(trial: Any) -> None:
        """Another law of that name."""

    for check in (nameless, demand):
        with pytest.raises(ValueError, match="needs a name of its own and a docstring"):
            law("L99")(check)
    assert "nameless" not in LAWS


@pytest.mark.parametrize("module", ["rxml.testing", "rxml.testing.virtual_time"])
def test_without_hypothesis_the_kit_names_the_extra(module: str) -> None:
    program = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import importlib.util as util; found = util.find_spec\n"
        "util.find_spec = lambda name, *a: None if name == 'hypothesis' else found(name, *a)\n"
        f"import {module}"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: rxml.testing needs hypothesis")
    assert "rxml[testing]" in last
