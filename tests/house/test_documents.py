"""Every Python block of the README and the docs runs.

A block runs as a script of its own, in an empty folder. One that shows `>>>` is checked by doctest.
A block after `<!-- skip: reason -->` does not run, and must say why.
"""

from __future__ import annotations

import doctest
import re
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from tests.house.sources import ROOT

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = re.compile(
    r"^(?P<skip><!-- skip:(?P<reason>[^\n]*)-->\n\n?)?"
    r"^(?P<indent> *)```(?:python|pycon|py)\b[^\n]*\n(?P<code>.*?)^(?P=indent)```",
    re.MULTILINE | re.DOTALL,
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: where it stands, and why it does not run if it does not."""

    name: str
    line: int
    code: str
    reason: str | None

    def run(self) -> None:
        if ">>> " in self.code:
            self.check()
        else:
            self.execute()

    def execute(self) -> None:
        # Blank lines in front make a traceback name the line of the document.
        program = compile("\n" * (self.line - 1) + self.code, str(ROOT / self.name), "exec")
        exec(program, sys.modules["__main__"].__dict__)

    def check(self) -> None:
        where = f"{self.name}:{self.line}"
        test = doctest.DocTestParser().get_doctest(self.code, {}, where, self.name, self.line - 1)
        report: list[str] = []
        doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append)
        assert not report, "".join(report)


def blocks(text: str, name: str) -> list[Block]:
    found: list[Block] = []
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        code = re.sub(rf"^{match['indent']}", "", match["code"], flags=re.MULTILINE)
        reason = match["reason"].strip() if match["skip"] else None
        found.append(Block(name, line, code, reason))
    return found


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


ALL = [
    block
    for path in documents()
    if path.exists()
    for block in blocks(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())
]


def test_the_readme_shows_code() -> None:
    assert [block for block in ALL if block.name == "README.md" and block.reason is None]


@pytest.mark.parametrize("block", ALL, ids=lambda block: f"{block.name}:{block.line}")
def test_a_block_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if block.reason is not None:
        assert block.reason, f"{block.name}:{block.line} is skipped for no reason"
        compile(block.code, block.name, "exec")
        pytest.skip(block.reason)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    block.run()


def test_blocks_are_found_with_line_indent_and_reason() -> None:
    text = "a\n```python\nx = 1\n```\n<!-- skip: needs a server -->\n```python\ny\n```\n"
    text += "- item\n\n  ```python\n  z = (\n      1)\n  ```\n```bash\nno\n```\n"
    found = blocks(text, "t.md")
    assert [(block.line, block.code, block.reason) for block in found] == [
        (3, "x = 1\n", None),
        (7, "y\n", "needs a server"),
        (12, "z = (\n    1)\n", None),
    ]


def test_a_wrong_example_is_caught() -> None:
    with pytest.raises(AssertionError, match="Expected"):
        Block("t.md", 1, ">>> 1 + 1\n3\n", None).run()
    with pytest.raises(ZeroDivisionError):
        Block("t.md", 1, "1 / 0\n", None).execute()
