"""KeyedTable: what tests share that know something of each key: growth, forgetting, snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.uncertain.calibration.keyed import keys_of
from rxml.uncertain.calibration.table import Table, checked_slots

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike


class KeyedTable:
    """Something known of each key, in one table.

    Args:
        keys: slots at first.
        blank: by name what is known of a key without rows.

    Raises:
        ValueError: keys are no whole number of at least 0.
    """

    def __init__(self, keys: int, blank: Mapping[str, ArrayLike]) -> None:
        self._table = Table(keys_of(keys), blank)

    @property
    def keys(self) -> int:
        """Slots in use."""
        return self._table.keys

    def grow(self, keys: int) -> None:
        """Have at least so many slots; new ones know nothing."""
        self._table.grow(keys)

    def reset(self, slots: ArrayLike) -> None:
        """Forget what is known of these keys, and what was said of them: alarms, decisions."""
        self._table.clear(checked_slots(slots, self.keys))

    def snapshot(self) -> dict[str, Any]:
        """The state, as arrays by name."""
        return self._table.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave.

        Raises:
            ValueError: it is none.
        """
        self._table.restore(state)
