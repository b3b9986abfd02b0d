"""mypy and pyright agree with what the typing cases say of each line."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CASES = sorted((Path(__file__).parent / "cases").glob("*.py"))
EXPECTED = re.compile(r"#\s*(both|mypy|pyright):\s*(.+?)\s*$")


def expectations(path: Path, checker: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match = EXPECTED.search(line)
        if match and match[1] in {"both", checker}:
            found[number] = match[2].split(" (")[0]
    return found


def shortened(text: str) -> str:
    """The type without the modules that mypy names and pyright does not."""
    return re.sub(r"\b(?:[a-z_]+\.)+([A-Za-z_])", r"\1", text)


def by_mypy(path: Path) -> dict[int, str]:
    quiet = ["--no-error-summary", "--hide-error-context", "--disable-error-code=unused-awaitable"]
    command = [sys.executable, "-m", "mypy", *quiet, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said: dict[int, str] = {}
    for line in done.stdout.splitlines():
        match = re.match(r".*?:(\d+): (note|error): (.*)", line)
        if match and path.name in line:
            revealed = re.fullmatch(r'Revealed type is "(.*)"', match[3])
            if revealed:
                said[int(match[1])] = shortened(revealed[1])
            elif match[2] == "error":
                said[int(match[1])] = "error"
    assert done.returncode in {0, 1}, done.stderr
    return said


def by_pyright(path: Path, folder: Path) -> dict[int, str]:
    """In a project of its own, since ours leaves the cases out."""
    config = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(ROOT)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    shutil.copy(path, folder)
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said: dict[int, str] = {}
    for each in json.loads(done.stdout)["generalDiagnostics"]:
        line = each["range"]["start"]["line"] + 1
        revealed = re.fullmatch(r'Type of ".*" is "(.*)"', each["message"], flags=re.DOTALL)
        said[line] = shortened(revealed[1]) if revealed else "error"
    return said


@pytest.mark.timeout(180)
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_checker_sees_what_the_case_says(path: Path, checker: str, tmp_path: Path) -> None:
    expected = expectations(path, checker)
    assert expected, f"{path.name} says nothing of {checker}"
    said = by_mypy(path) if checker == "mypy" else by_pyright(path, tmp_path)
    wanted = {line: want for line, want in expected.items() if want != "ok"}
    assert said == wanted
