"""L58 over whole runs: a run that dies behind any barrier and goes on gives what one gives that never died."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given, settings

import rxml
from rxml import operators as ops
from rxml.errors import CheckpointError, PipelineError
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.flow.checkpointing.survey import Survey
from rxml.testing.comparing import same
from rxml.testing.virtual_time import run
from tests.laws.catalogue import CATALOGUE
from tests.unit.checkpointing.memory_store import Died, MemoryStore

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable
    from tests.laws.case import Case

CASES = {
    f"{name}:{variant}".rstrip(":"): case
    for name, variants in sorted(CATALOGUE.items())
    for variant, case in variants.items()
}
REFUSED: Final = frozenset(
    {
        *("amb", "bandit", "catch", "conflate", "debounce", "delay", "group_by", "keep_alive"),
        *("on_error_resume_next", "on_overflow", "partition", "repeat", "replay", "retry"),
        *(
            "sample",
            "share",
            "shed",
            "skip_until",
            "skip_until_with_time",
            "switch_map",
            "take_until",
        ),
        *("take_until_with_time", "throttle", "timeout", "watchdog", "window"),
        "with_latest_from",
    }
)
"""Operators of which no form can be saved."""


def pipeline(case: Case, elements: list[Any]) -> Flowable[Any]:
    return rxml.from_iterable(elements).pipe(case.op())


def savable(case: Case) -> bool:
    try:
        Survey(pipeline(case, []), "main")
    except PipelineError:
        return False
    return True


SAVABLE = {name: case for name, case in CASES.items() if savable(case)}


async def lived(
    case: Case, elements: list[Any], store: MemoryStore, every: int
) -> tuple[list[Any], Any]:
    """The results of a run that dies as the store says, and goes on each time; and what it fails with."""
    out: list[Any] = []
    while True:
        flow = pipeline(case, elements).pipe(ops.do_action(out.append))
        try:
            await flow.run(checkpoint=Checkpoint(store, every=None, elements=every))
        except Died:
            continue
        except CheckpointError as error:
            assume(
                "plain values" not in str(error)
            )  # what is no such thing cannot be a part of a state
            raise
        except Exception as error:  # noqa: BLE001 - compared
            return out, type(error)
        return out, None


@pytest.mark.parametrize("name", SAVABLE)
def test_a_run_that_died_behind_any_barrier_gives_what_one_gives_that_never_died(name: str) -> None:
    case = SAVABLE[name]

    @settings(max_examples=settings().max_examples // 5)
    @given(
        st.lists(case.elements, max_size=12),
        st.integers(1, 4),
        st.sets(st.integers(1, 13), max_size=3),
    )
    def holds(elements: list[Any], every: int, deaths: set[int]) -> None:
        whole, failed = run(lived(case, elements, MemoryStore(), every))
        parts, failed_too = run(lived(case, elements, MemoryStore(*deaths), every))
        if case.options.get("order") == "any":
            whole, parts = sorted(whole, key=repr), sorted(parts, key=repr)
        assert same(parts, whole)
        assert failed_too is failed

    holds()


def test_what_cannot_be_saved_is_known() -> None:
    names = {name.partition(":")[0] for name in CASES}
    assert names - {name.partition(":")[0] for name in SAVABLE} <= REFUSED
