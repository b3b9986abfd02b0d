"""What `module:name` finds, and what is said when a user's module fails."""

from __future__ import annotations

import queue
import sys
from typing import TYPE_CHECKING

import pytest

from rxml.cli.failure import CommandError, blamed, kind
from rxml.cli.target import load
from rxml.http import App

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """A folder that is the current one; modules and paths that loading adds are taken back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def failure(target: str) -> str:
    with pytest.raises(CommandError) as failed:
        load(target)
    return str(failed.value)


@pytest.mark.parametrize("target", ["queue.py:app", "queue:app"])
def test_a_file_named_like_a_module_that_is_loaded_is_the_file(folder: Path, target: str) -> None:
    write(folder / "queue.py", "app = 'mine'\n")
    assert load(target) == "mine"
    assert sys.modules["queue"] is queue


def test_functions_may_import_from_the_folder_of_the_file_later(folder: Path) -> None:
    (folder / "inner").mkdir()
    write(folder / "inner" / "beside_it.py", "x = 42\n")
    write(folder / "inner" / "late.py", "def f():\n    import beside_it\n    return beside_it.x\n")
    assert load("inner/late.py:f")() == 42


def test_structs_of_a_file_know_their_module(folder: Path) -> None:
    text = "from __future__ import annotations\nimport msgspec\n"
    text += (
        "class Inner(msgspec.Struct):\n    x: int\nclass Outer(msgspec.Struct):\n    inner: Inner\n"
    )
    write(folder / "structs.py", text + "made = msgspec.convert({'inner': {'x': 1}}, Outer)\n")
    assert load("structs.py:made").inner.x == 1


@pytest.mark.parametrize("target", ["pandas_service.py:app", "pandas_service:app"])
def test_a_module_that_lacks_another_is_not_said_to_be_missing(folder: Path, target: str) -> None:
    write(folder / "pandas_service.py", "import pandas_service_that_is_not\n")
    said = failure(target)
    assert said.startswith("cannot load pandas_service")
    assert 'pandas_service.py", line 1, in <module>' in said
    assert said.endswith("No module named 'pandas_service_that_is_not'")


def test_what_is_not_there_is_named() -> None:
    assert failure("no.such:app").startswith("no module is called 'no.such'")
    assert failure("none.py:app") == "there is no file 'none.py'"


def test_an_error_of_the_module_is_told_with_the_users_frames_only(folder: Path) -> None:
    text = "import rxml\ndef f():\n    return rxml.range(1, 2, 3, 4, 5, 6)\nf()\n"
    write(folder / "broken.py", text)
    lines = failure("broken.py:app").splitlines()
    assert lines[0] == "cannot load broken.py:"
    files = [line for line in lines if line.startswith("  File")]
    assert [file.split(", ", 1)[1] for file in files] == ["line 4, in <module>", "line 3, in f"]
    assert all("broken.py" in file for file in files)


def test_wrong_syntax_is_shown_where_it_is(folder: Path) -> None:
    write(folder / "wrong.py", "def f(:\n")
    said = failure("wrong.py:app")
    assert 'wrong.py", line 1\n    def f(:' in said
    assert "importlib" not in said


def test_a_command_error_passes_as_it_is_and_articles_fit() -> None:
    with pytest.raises(CommandError, match=r"^said$"), blamed("cannot"):
        raise CommandError("said")
    assert kind(App()) == "an App"
    assert kind(3.0) == "a float"
