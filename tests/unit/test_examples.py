"""Every example runs as a reader runs it, to its end and in silence on the error stream."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVERS = {"first_endpoint.py": "tests/http/test_examples.py"}
"""Examples that serve until they are stopped, and where they are tested."""

EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.py"))


@cache
def output_of(name: str) -> str:
    done = subprocess.run(
        [sys.executable, f"examples/{name}"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in SERVERS])
def test_an_example_runs(name: str) -> None:
    output_of(name)


@pytest.mark.parametrize("name", SERVERS)
def test_an_example_that_serves_is_tested_elsewhere(name: str) -> None:
    assert name in EXAMPLES
    assert name.removesuffix(".py") in (ROOT / SERVERS[name]).read_text(encoding="utf-8")


def test_the_example_of_an_own_operator_shows_one_right_and_one_caught() -> None:
    shown = output_of("own_operator.py")
    assert "deadband(2) keeps every law." in shown
    assert "smoothed breaks law L13 (chunk-invariance)" in shown
    assert "input      [0, 1], then the end" in shown
    assert "source  ...?" in shown


def test_the_example_of_uncertain_sensors_answers_as_of_any_moment() -> None:
    shown = output_of("lions.py")
    assert "now:                     0 to 2 animals" in shown
    assert "as of 07:00:             86 to 97 animals" in shown
    assert "first: 100 stored; again: 100 known already" in shown
    assert "the same state: True" in shown


def test_the_example_of_a_killed_pipeline_comes_back_to_the_last_byte() -> None:
    shown = output_of("orders.py")
    assert "40,000 orders of 25 shops: 2,400 rows by a process left in peace" in shown
    assert "pulled the plug 4 times, 4 of them at work" in shown
    assert "once more, to the end: 2,400 rows; the same to the last byte: True" in shown


def test_the_example_of_a_cold_store_tells_what_sampling_all_sensors_tells() -> None:
    shown = output_of("sensors.py")
    assert "     2   41.3 (36 to 46)                          -10.5 " in shown  # sampled: -10.56
    assert "     0    4.6 (2 to 8)                            -14.1 " in shown  # sampled: -14.06
    assert "alarm in minutes: [2]" in shown
