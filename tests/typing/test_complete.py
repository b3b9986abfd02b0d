"""Whoever type-checks against rxml needs to infer nothing: each public name says its type."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "rxml"
COMMAND = ("-m", "pyright", "--verifytypes", "rxml", "--ignoreexternal", "--outputjson")


def verified(folder: Path) -> dict[str, Any]:
    """What pyright says of the package as it is installed: it follows no link, and no path file."""
    shutil.copytree(PACKAGE, folder / "rxml", ignore=shutil.ignore_patterns("__pycache__"))
    where = os.pathsep.join([str(folder), sysconfig.get_path("purelib")])
    command = [sys.executable, *COMMAND, "--pythonpath", sys.executable]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": where},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        said: dict[str, Any] = json.loads(done.stdout)["typeCompleteness"]
    except (ValueError, KeyError):
        pytest.fail(f"pyright says nothing of the types: {done.stdout[-2000:]}{done.stderr}")
    return said


@pytest.mark.timeout(120)
def test_every_public_name_says_its_type(tmp_path: Path) -> None:
    said = verified(tmp_path)
    assert Path(said["packageRootDirectory"]) == tmp_path / "rxml"
    unsaid = {
        each["name"]: [found["message"] for found in each["diagnostics"]]
        for each in said["symbols"]
        if not each["isTypeKnown"]
    }
    assert unsaid == {}
    assert said["exportedSymbolCounts"]["withKnownType"] > 1000
    assert said["completenessScore"] == 1
