"""Where in the day, the week and the year an event was, as points on a circle: 23:59 is next to 0:00."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.features.checks import nanoseconds
from rxml.features.transform import ColumnTransform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rxml.features.transform import Found, Rows

_DAY: Final = 86_400_000_000_000
_MONDAY: Final = 3 * _DAY  # 1 January 1970 was a Thursday, three days after a Monday
_CYCLES: Final = {"day": (_DAY, 0), "week": (7 * _DAY, _MONDAY), "year": (31_556_952 * 10**9, 0)}


class Calendar(ColumnTransform):
    """Sine and cosine of the part of a cycle that has gone by; parts: `day_sin`, `day_cos`, `week_sin` and so on.

    A day begins at 0:00, a week on Monday; the year is the mean Gregorian one (365.2425 days) counted from 1970, so
    that a date's place in it moves by less than a day. Nothing is learned.

    Args:
        column: the name of a column of event times: int64 nanoseconds since 1970 (UTC), or datetime64.
        cycles: distinct ones of `day`, `week`, `year`.
        offset: of local time from UTC, in nanoseconds.
        keys: how many slots to begin with; they do not matter.

    Raises:
        ValueError: there are no cycles, or one is unknown or comes twice.
    """

    cycles: tuple[str, ...]
    offset: int

    def __init__(
        self,
        column: str,
        cycles: Sequence[str] = ("day", "week"),
        *,
        offset: int = 0,
        keys: int = 1,
    ) -> None:
        if not cycles or not set(cycles) <= set(_CYCLES) or len(set(cycles)) != len(cycles):
            text = f"cycles must be distinct ones of {', '.join(_CYCLES)}"
            raise ValueError(f"{text}, got {cycles!r}")
        self.cycles, self.offset = tuple(cycles), offset
        parts = [f"{cycle}_{function}" for cycle in cycles for function in ("sin", "cos")]
        super().__init__(column, parts, {"cycles": list(cycles), "offset": offset}, keys=keys)

    @override
    def _save(self) -> dict[str, Any]:
        return {}

    @override
    def _load(self, state: Mapping[str, Any], keys: int) -> None:
        """There is nothing that it could have learned."""

    @override
    def _values(self, x: NDArray[Any]) -> NDArray[Any]:
        return nanoseconds(self.column, super()._values(x))

    @override
    def _held(self, rows: Rows) -> Found:
        return ()

    @override
    def _advance(self, rows: Rows) -> Found:
        return ()

    @override
    def _emit(self, rows: Rows, found: Found) -> tuple[NDArray[np.float64], ...]:
        parts: list[NDArray[np.float64]] = []
        for cycle in self.cycles:
            length, shift = _CYCLES[cycle]
            # each is made small before they are added, so that no time overflows
            gone = (rows.values % length + (self.offset + shift) % length) % length
            angle = gone * (2 * np.pi / length)
            parts += [np.sin(angle), np.cos(angle)]
        return tuple(parts)
