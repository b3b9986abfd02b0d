"""Labels beside in runs that are saved: their flow has ended, or failed, before the run goes on."""

from __future__ import annotations

from typing import Any

import pytest

import rxml
from rxml import operators as ops
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.testing.virtual_time import run
from tests.unit.checkpointing.memory_store import Died, MemoryStore
from tests.unit.learning.labelled import ends, row, split, told


def failing(each: Any) -> Any:
    if each.id == "bad":
        raise RuntimeError("gone")
    return each


@pytest.mark.parametrize("behind", [[], [told("bad", 0.0)]])
def test_a_run_goes_on_whose_labels_have_ended_before_it_was_saved(behind: list[Any]) -> None:
    out: dict[Any, float] = {}

    def keep(each: Any) -> None:
        out[each["id"]] = ends(each["interval"])[1]

    async def main() -> int:
        labels = rxml.from_iterable([told(1, 3.0), *behind]).pipe(ops.map(failing))
        rows = rxml.from_iterable([row(at) for at in range(1, 9)])
        flow = rows.pipe(split(labels=labels), ops.do_action(keep))
        store, died = MemoryStore(*range(1, 12)), 0
        while True:
            try:
                await flow.run(checkpoint=Checkpoint(store, every=None, elements=1))
            except Died:
                died += 1
                continue
            return died

    assert run(main()) > 3
    assert sorted(out) == list(range(1, 9))
