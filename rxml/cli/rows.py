"""Which sensors have a row in the demo's table: there are more sensors than lines in a terminal."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final, NamedTuple

from rxml.cli.forecast import MACHINE, SENSORS

if TYPE_CHECKING:
    from rxml.cli.forecast import Forecast

ROWS: Final = 12
"""Rows of the table."""

_SILENT: Final = 10.0
"""Seconds of silence after which a sensor gives its row to one that speaks."""

_TREND: Final = 16
"""Values that the trend shows."""


class Row(NamedTuple):
    """A sensor's last forecast, when it came, its last values, and how often intervals held of late, over time."""

    forecast: Forecast
    heard: float
    values: deque[float]
    shares: deque[float]


class Rows:
    """The last of each sensor, as many as the demo forecasts, and which of them are shown.

    A sensor keeps its row as long as it speaks, so that rows do not jump when there are more sensors than rows.
    """

    def __init__(self) -> None:
        self._last: OrderedDict[str, Row] = OrderedDict()
        self._shown: list[str] = []

    def hear(self, forecast: Forecast, now: float) -> None:
        """Take note of a forecast."""
        before = self._last.pop(forecast.sensor, None)
        values = before.values if before else deque[float](maxlen=_TREND)
        shares = before.shares if before else deque[float]()
        values.append(forecast.value)
        if forecast.lately is not None:
            shares.append(forecast.lately)
        if len(shares) >= 4 * _TREND:
            _thin(shares)
        self._last[forecast.sensor] = Row(forecast, now, values, shares)
        if len(self._last) > SENSORS:
            del self._last[next(name for name in self._last if name != MACHINE)]

    def shown(self, now: float) -> list[Row]:
        """The rows of the table, this machine's first."""
        last = self._last
        kept = [each for each in self._shown if each in last and now - last[each].heard < _SILENT]
        machine = [MACHINE] if MACHINE in last else []
        self._shown = list(dict.fromkeys([*machine, *kept, *reversed(last)]))[:ROWS]
        return [
            last[each] for each in sorted(self._shown, key=lambda each: (each != MACHINE, each))
        ]

    @property
    def more(self) -> int:
        """How many sensors have no row."""
        return len(self._last) - min(len(self._last), ROWS)


def _thin(shares: deque[float]) -> None:
    """Leave out every other one, so that those that are left go back to the beginning."""
    kept = list(shares)[::2]
    shares.clear()
    shares.extend(kept)
