"""The wheel holds exactly the tree, however it was built, and the link is what it must be."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = {".py", ".typed"}
"""A new kind of shipped file is declared here, so that none slips in."""


def build(target: str, tree: Path, into: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (artefact,) = into.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return artefact


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


def files(folder: Path, prefix: str) -> dict[str, bytes]:
    return {
        f"{prefix}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def tree() -> dict[str, bytes]:
    """Name in the wheel -> content in the tree; the link is not followed (rglob does not)."""
    return files(ROOT / "rxml", "rxml") | files(ROOT / "operators", "rxml/operators")


def content(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def package(wheel: Path) -> dict[str, bytes]:
    return {name: data for name, data in content(wheel).items() if ".dist-info/" not in name}


def test_the_wheel_holds_the_tree_and_nothing_else(wheel: Path) -> None:
    expected = tree()
    assert "rxml/operators/__init__.py" in expected
    assert package(wheel) == expected


def test_only_declared_kinds_of_file_are_shipped(wheel: Path) -> None:
    assert {Path(name).suffix for name in package(wheel)} <= SHIPPED
    assert "rxml/py.typed" in package(wheel)


def test_the_wheel_built_from_the_sdist_is_the_same(
    wheel: Path, sdist: Path, tmp_path: Path
) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (unpacked,) = (tmp_path / "source").iterdir()
    again = build("wheel", unpacked, tmp_path / "again")
    assert content(again) == content(wheel)


def test_the_sdist_holds_the_operators_once_and_no_environment(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert "operators/__init__.py" in names
    assert not [name for name in names if name.startswith(("rxml/operators", ".venv"))]


def test_the_wheel_declares_the_command_and_the_licence(wheel: Path) -> None:
    held = content(wheel)
    (points,) = [data.decode() for name, data in held.items() if name.endswith("entry_points.txt")]
    assert "rxml = rxml.cli.main:main" in points
    assert [name for name in held if name.endswith("licenses/LICENSE")]


def test_the_installed_wheel_imports_far_from_the_tree(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); import rxml; "
        "from rxml import operators; print(rxml.__file__); print(operators.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert all(line.startswith(str(tmp_path)) for line in done.stdout.split())
