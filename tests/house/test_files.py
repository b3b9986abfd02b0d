"""A file has one noun and one reason, and therefore an end."""

from __future__ import annotations

import ast

import pytest

from tests.house.sources import ROOT, shipped, sources

CAPS = {"rxml": 300, "operators": 300, "examples": 300, "benchmarks": 300, "tests": 400}
"""Lines that a file may have. The usual file has 60 to 200."""

LATER = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
"""Words for what was put off. In pieces, so that this file is clean too."""

TEXTS = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".html", ".js", ".css"}


@pytest.mark.parametrize("folder", CAPS)
def test_no_file_is_longer_than_its_cap(folder: str) -> None:
    cap = CAPS[folder]
    lengths = {source.name: len(source.text.splitlines()) for source in sources(folder)}
    assert {name: lines for name, lines in lengths.items() if lines > cap} == {}


def test_nothing_is_put_off_in_a_comment() -> None:
    held = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in (*CAPS, "docs", "requirements")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in TEXTS and path.is_file()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if any(word in line for word in LATER)
    ]
    assert held == []


def test_every_shipped_file_says_in_a_sentence_what_it_is() -> None:
    silent = [source.name for source in shipped() if not ast.get_docstring(source.tree)]
    assert silent == []


def test_every_shipped_file_postpones_its_annotations() -> None:
    late = [
        source.name
        for source in shipped()
        if source.tree.body[1:] and "from __future__ import annotations\n" not in source.text
    ]
    assert late == []
