"""`rxml/operators` is a committed relative link, and nothing can load the operators twice."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_link_is_relative() -> None:
    assert (ROOT / "rxml" / "operators").readlink() == Path("../operators")


def test_git_holds_it_as_a_link() -> None:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    command = [git, "ls-files", "--stage", "rxml/operators"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert listed.startswith("120000 "), f"git must hold one link at rxml/operators: {listed!r}"


def test_import_operators_from_the_root_says_what_to_import_instead() -> None:
    done = run("import operators")
    assert done.returncode != 0
    assert "ImportError" in done.stderr
    assert "from rxml import operators as ops" in done.stderr


def test_the_operators_are_found_in_the_package() -> None:
    done = run("from rxml import operators; print(operators.__name__)")
    assert done.stdout.strip() == "rxml.operators", done.stderr
