"""SelectiveRisks: for each key, from which certainty on answers are wrong no more often than they may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from rxml.uncertain.calibration.keyed import keys_of
from rxml.uncertain.calibration.selective import GRID, SelectiveRisk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Slots: TypeAlias = NDArray[np.intp]


class SelectiveRisks:
    """A `SelectiveRisk` for each key, which learns from the labels of that key alone.

    The promise is made to each key by itself: with probability 1 - delta no more than `risk` of its answers are wrong. Of
    many keys about that share of delta are expected to have more.

    A key takes memory with its first label: 2 kB, and 8 bytes a label.

    Args:
        risk: see `SelectiveRisk`.
        delta: see there.
        window: newest labels of a key that count; see there.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    risk: float
    delta: float
    window: int

    def __init__(self, risk: float, delta: float, window: int = 10_000, *, keys: int = 1) -> None:
        self._blank = SelectiveRisk(risk, delta, window)
        self.risk = self._blank.risk
        self.delta = self._blank.delta
        self.window = self._blank.window
        self._of: list[SelectiveRisk | None] = [None] * keys_of(keys)

    def grow(self, keys: int) -> None:
        """Have at least so many slots."""
        self._of += [None] * (keys - len(self._of))

    def forget(self, slots: Slots) -> None:
        """Of these keys nothing is known any more."""
        for slot in slots.tolist():
            self._of[slot] = None

    def places(self, slots: Slots) -> NDArray[np.intp]:
        """For each of these keys the place in `GRID` from which on its answers are given; see `SelectiveRisk.place`."""
        given: list[int] = slots.tolist()
        places = {slot: self._place(slot) for slot in set(given)}
        return np.array([places[slot] for slot in given], np.intp)

    def _place(self, slot: int) -> int:
        known = self._of[slot]
        return len(GRID) if known is None else known.place

    def update(self, slots: Slots, places: NDArray[np.intp], wrong: NDArray[np.bool_]) -> None:
        """Labels came to answers of these keys, in this order, of certainties in these places of the grid."""
        told = zip(slots.tolist(), places.tolist(), wrong.tolist(), strict=True)
        for slot, place, erred in told:
            self._known(slot).put(place, wrong=erred)

    def _known(self, slot: int) -> SelectiveRisk:
        known = self._of[slot]
        if known is None:
            known = self._of[slot] = self._blank.another()
        return known

    def snapshot(self) -> dict[str, Any]:
        """The state, of numbers and arrays."""
        known = {slot: each for slot, each in enumerate(self._of) if each is not None}
        latest = [each.snapshot()["latest"] for each in known.values()]
        return {"keys": len(self._of), "slots": np.array([*known], np.int64), "latest": latest}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Be as when that was taken, by one of the same configuration."""
        self._of = [None] * state["keys"]
        slots: list[int] = np.asarray(state["slots"]).tolist()
        for slot, latest in zip(slots, state["latest"], strict=True):
            self._known(slot).restore({"latest": latest})
