"""The demo's table in the terminal, and its summary."""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rxml.cli.forecast import Forecast

_ROWS: Final = 12
_LINE_EVERY: Final = 10


class Board:
    """The last forecast of each sensor, at most `_ROWS` of them."""

    def __init__(self) -> None:
        self._console = Console()
        self._latest: OrderedDict[str, Forecast] = OrderedDict()
        self._seen = 0
        self._watched = sys.stdout.isatty()

    def announce(self, url: str) -> None:
        """Say where the streams are, and how to join in."""
        stream = url.replace("http", "ws", 1)
        self._console.print(
            f"forecasts: {stream}/predictions and {url}/predictions",
            highlight=False,
            soft_wrap=True,
        )
        self._console.print(
            f"""your own numbers: curl -d '{{"sensor": "mine", "value": 1.23}}' """
            f"-H 'content-type: application/json' {url}/events",
            highlight=False,
            soft_wrap=True,
            markup=False,
        )

    def live(self) -> AbstractContextManager[Any]:
        """The table, drawn anew four times a second."""
        return Live(get_renderable=self._table, console=self._console, refresh_per_second=4)

    def show(self, forecast: Forecast) -> None:
        """Take note of a forecast; without a terminal, print one line in ten."""
        self._latest[forecast.sensor] = forecast
        self._latest.move_to_end(forecast.sensor)
        if len(self._latest) > _ROWS:
            self._latest.popitem(last=False)
        self._seen += 1
        if not self._watched and self._seen % _LINE_EVERY == 1:
            self._console.print("  ".join(_cells(forecast)), highlight=False, markup=False)

    def conclude(self) -> None:
        """How well the intervals have held."""
        self._console.print(f"\n{self._seen} forecasts", highlight=False)
        for sensor, forecast in self._latest.items():
            self._console.print(f"  {sensor}: {_held(forecast)}", highlight=False, markup=False)

    def _table(self) -> Table:
        table = Table("sensor", "now", "in 5 s", "90 % interval", "last outcome", "coverage")
        for forecast in sorted(self._latest.values(), key=lambda f: f.sensor):
            table.add_row(
                *map(Text, _cells(forecast))
            )  # plain: a sensor's name is a stranger's text
        return table


def _cells(forecast: Forecast) -> tuple[str, ...]:
    interval = "warming up"
    if forecast.lower is not None and forecast.upper is not None:
        interval = f"[{forecast.lower:.1f}, {forecast.upper:.1f}]"
    outcome = "" if not forecast.held else ("held" if forecast.held[-1] else "missed")
    return (
        forecast.sensor,
        f"{forecast.value:.1f}",
        f"{forecast.mean:.1f}",
        interval,
        outcome,
        _held(forecast),
    )


def _held(forecast: Forecast) -> str:
    if forecast.coverage is None:
        return "no outcome yet"
    hits = round(forecast.coverage * forecast.outcomes)
    return f"{hits} of {forecast.outcomes} held ({forecast.coverage:.0%})"
