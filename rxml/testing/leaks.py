"""Leaks: what a run that is over may not leave behind, apart from tasks, which `rxml.testing.run` looks after."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rxml.testing.timeline import Kind
from rxml.virtual.errors import LeakError

if TYPE_CHECKING:
    import weakref
    from collections.abc import Generator

    from rxml.testing.timeline import Timeline


def unreleased(timeline: Timeline) -> dict[str, tuple[int, int]]:
    """The places that were not released as often as they were opened: how often each."""
    counts = {
        lane: (timeline.count(lane, Kind.OPENED), timeline.count(lane, Kind.RELEASED))
        for lane in timeline.lanes
    }
    return {lane: (opened, closed) for lane, (opened, closed) in counts.items() if opened != closed}


def check_released(timeline: Timeline) -> None:
    """See that every source and recorder was released as often as it was opened.

    Raises:
        LeakError: one was not; names it.
    """
    for lane, (opened, closed) in unreleased(timeline).items():
        raise LeakError(f"{lane} was opened {opened} times and released {closed} times")


@contextmanager
def few_objects() -> Generator[None]:
    """Inside, `gc.collect()` looks only at what is made inside, and is quick."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def check_collected(*references: weakref.ref[Any]) -> None:
    """See that nothing holds the objects any more.

    Raises:
        LeakError: an object is still there; names what refers to it.
    """
    gc.collect()
    for reference in references:
        alive = reference()
        if alive is not None:
            holders = {type(holder).__name__ for holder in gc.get_referrers(alive)} - {"frame"}
            raise LeakError(
                f"{type(alive).__name__} is still held in memory, by {', '.join(sorted(holders))}"
            )
