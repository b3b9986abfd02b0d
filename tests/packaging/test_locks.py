"""The locks hold every requirement with its hashes, agree with one another and with pyproject."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(
    r"^([a-z0-9][a-z0-9-]*)(?:\[[a-z,-]+\])?==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$",
    re.MULTILINE,
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins(lock: Path) -> dict[str, str]:
    return {name: version for name, version, _ in PIN.findall(lock.read_text(encoding="utf-8"))}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9_-]", line)[0].lower().replace("_", "-") for line in requirements}


def named(lock: str) -> dict[str, str]:
    return pins(ROOT / "requirements" / f"{lock}.txt")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_is_comments_and_hashed_pins_only(lock: Path) -> None:
    rest = PIN.sub("", lock.read_text(encoding="utf-8"))
    assert [line for line in rest.splitlines() if line and not line.lstrip().startswith("#")] == []
    assert pins(lock)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_says_nothing_of_the_machine_that_made_it(lock: Path) -> None:
    assert not re.search(r"https?:|file:/|(?<!\S)/\w", lock.read_text(encoding="utf-8"))


def test_what_demo_installs_is_a_part_of_what_test_installs() -> None:
    assert named("demo").items() <= named("dev").items()


@pytest.mark.parametrize("lock", ["demo", "dev", "fuzz"])
def test_every_required_dependency_is_locked(lock: str) -> None:
    assert names(PROJECT["project"]["dependencies"]) <= named(lock).keys()


def test_every_extra_is_locked_for_the_tests() -> None:
    extras = dict(PROJECT["project"]["optional-dependencies"])
    del extras["torch"]  # gigabytes: `make torch` tests its adapter in an environment of its own
    for requirements in extras.values():
        assert names(requirements) <= named("dev").keys()


def test_the_build_backend_is_locked_where_the_project_is_installed() -> None:
    backend = names(PROJECT["build-system"]["requires"])
    assert backend <= named("demo").keys()
