"""Undo: what windows were before a chunk, so that a chunk that fails leaves them so."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from rxml.eventtime.windows.firing import Firing


class Undo:
    """Copies of open windows, each as it was when it was kept first.

    Args:
        firing: of the windows.
    """

    __slots__ = ("_copies", "_firing", "_known")

    def __init__(self, firing: Firing) -> None:
        self._firing = firing
        self._known: set[int] = set()
        self._copies: list[tuple[NDArray[np.intp], Any]] = []

    def keep(self, slots: NDArray[np.intp]) -> None:
        """These windows may change from now on; one may be named several times."""
        new = np.array(list(set(slots.tolist()) - self._known), np.intp)
        if len(new):
            self._known.update(new.tolist())
            self._copies.append((new, self._firing.kept(new)))

    def back(self) -> None:
        """Let them be as they were; once."""
        copies, self._copies = self._copies, []
        for slots, kept in copies:
            self._firing.put(slots, kept)


@contextmanager
def undone(firing: Firing) -> Generator[Undo]:
    """What fails within this leaves the windows that were kept as they were."""
    undo = Undo(firing)
    try:
        yield undo
    except BaseException:
        undo.back()
        raise
