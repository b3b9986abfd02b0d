"""Names: by which pipelines and their stages are known again in another process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rxml.errors import PipelineError
from rxml.flow.checkpointing.checkpoint import Checkpoint
from tests.unit.checkpointing.memory_store import MemoryStore

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["", "\ud800", "a\0b", "two\nlines"])
def test_a_name_that_no_store_could_keep_is_refused(name: str) -> None:
    with pytest.raises(PipelineError, match=r"Checkpoint\(name=\) wants a text"):
        Checkpoint(MemoryStore(), name=name)


def test_names_with_sets_are_the_same_in_each_process() -> None:
    """Whatever it hashes texts by."""
    program = (
        "from rxml.flow.kinds import label; print(label('f', {'a', 'b', 'c'}, frozenset('de')))"
    )
    shown = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }
    assert shown == {"f({'a', 'b', 'c'}, {'d', 'e'})"}
