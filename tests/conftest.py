"""What every test gets: the link checked, hypothesis profiles, no blocking of the loop."""

from __future__ import annotations

import gc
import os
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from blockbuster import BlockBuster
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent

if not (ROOT / "rxml" / "operators").is_dir():
    raise pytest.UsageError(
        "rxml/operators must be a link to ../operators, and this checkout has a plain file there or "
        "nothing: run `git config core.symlinks true && git checkout rxml/operators`"
    )

_FINISHED = count(1)

# Cases for the type checkers hold errors on purpose; fuzz targets need the fuzzer's environment.
collect_ignore_glob = ["typing/cases/*", "fuzz/*"]

# No deadlines: a loaded machine is no failure. CI draws the same examples every time.
settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    max_examples=50,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("nightly", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_collection_finish() -> None:
    """What is there before the first test stays: collectors, of which many tests call one, need not look at it again."""
    _settle()


def pytest_runtest_teardown() -> None:
    """So does what tests have left by now, such as their reports."""
    if not next(_FINISHED) % 300:
        _settle()


def _settle() -> None:
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def _blockbuster() -> Iterator[BlockBuster]:
    guard = BlockBuster(scanned_modules="rxml")
    # Coverage guards its data with a lock that any thread of the test may hold for a moment.
    guard.functions["threading.Lock.acquire"].can_block_in("coverage/collector.py", "lock_data")
    guard.activate()
    yield guard
    guard.deactivate()


@pytest.fixture(autouse=True)
def _loop_is_not_blocked(
    request: pytest.FixtureRequest, _blockbuster: BlockBuster
) -> Iterator[None]:
    """Fails a test in which rxml, or what it calls, makes a blocking call in a running loop."""
    if request.node.get_closest_marker("allow_blocking") is None:
        yield
        return
    _blockbuster.deactivate()
    yield
    _blockbuster.activate()
