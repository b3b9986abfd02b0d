"""The demo's table in the terminal, and its summary."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from rxml.cli.plain import plain
from rxml.cli.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from rxml.cli.forecast import Forecast
    from rxml.cli.rows import Row

_NAME: Final = 30
"""Characters of a sensor's name that are shown: a stranger has chosen it."""

_TABLE_EVERY: Final = 0.25
_LINES_EVERY: Final = 5.0
"""Seconds between two tables, and between two lines of a sensor when there is no terminal."""

_WIDE: Final = 120
"""Columns of a terminal from which on there is room for long names, the last outcome and the trend."""

_BARS: Final = "▁▂▃▄▅▆▇█"

_WIDEST: Final = 64
"""Bars in a line, at most."""


class _Terminal(Console):
    """Leaves it to the command what happens when the reader of its output leaves."""

    @override
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Board:
    """Shows the last forecast of each sensor: a table for who watches, else a line now and then.

    Attributes:
        table: as it is now.
    """

    def __init__(self, *, watched: bool, console: Console | None = None) -> None:
        self.table: Table = Table()
        self._console = console or _Terminal()
        self._watched = watched
        self._rows = Rows()
        self._seen = 0
        self._next = 0.0
        self._printed = 0.0

    def announce(self, url: str) -> None:
        """Say where the streams are, and how to join in."""
        stream = url.replace("http", "ws", 1)
        self._print(f"forecasts: {stream}/predictions and {url}/predictions")
        self._print(
            f"""your own numbers: curl -d '{{"sensor": "mine", "value": 1.23}}' """
            f"-H 'content-type: application/json' {url}/events"
        )

    def live(self) -> AbstractContextManager[Any]:
        """The table, if somebody watches. A thread writes it, so that a terminal that is held up holds up nothing else."""
        if not self._watched:
            return nullcontext()
        return Live(get_renderable=lambda: self.table, console=self._console, refresh_per_second=4)

    def show(self, forecast: Forecast) -> None:
        """Take note of a forecast."""
        now = asyncio.get_running_loop().time()
        self._seen += 1
        self._rows.hear(forecast, now)
        if now < self._next:
            return
        shown = self._rows.shown(now)
        if self._watched:
            self.table = self._drawn(shown)
        else:
            self._print_rows(row for row in shown if row.heard > self._printed)
        self._printed = now
        self._next = now + (_TABLE_EVERY if self._watched else _LINES_EVERY)

    def conclude(self) -> None:
        """How well the intervals have held."""
        self._print(f"\n{self._seen} forecasts; outcomes that the interval held:")
        for row in self._rows.shown(0.0):
            name = plain(row.forecast.sensor, _NAME)
            over = f", over time {bars(row.shares, 0.0, 1.0)}" if row.shares else ""
            self._print(f"  {name}: {_held(row.forecast)}{over}")
        if self._rows.more:
            self._print(f"  and {self._rows.more} more")

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _print_rows(self, rows: Iterable[Row]) -> None:
        for row in rows:
            now, ahead, interval = _numbers(row)
            name, held = plain(row.forecast.sensor, _NAME), _held(row.forecast)
            line = f"{name}: {now} now, {ahead} in 5 s, {interval}, held: {held}"
            self._print(line)
        if self._rows.more:
            self._print(f"and {self._rows.more} more")

    def _drawn(self, rows: Iterable[Row]) -> Table:
        more = f"and {self._rows.more} more sensors · " if self._rows.more else ""
        caption = f"{more}{self._seen} forecasts · Ctrl-C ends"
        table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left")
        wide = self._console.width >= _WIDE
        table.add_column("sensor", style="bold", no_wrap=True, max_width=None if wide else 16)
        for name in ("now", "in 5 s", "90 % interval", "held"):
            table.add_column(name, justify="right", no_wrap=True)
        if wide:
            table.add_column("last outcome", no_wrap=True)
            table.add_column("trend", style="cyan", no_wrap=True)
        for row in rows:
            table.add_row(*_cells(row)[: len(table.columns)])
        return table


def _cells(row: Row) -> tuple[Text, ...]:
    """In `Text`, in which no markup is read."""
    forecast = row.forecast
    plains = (plain(forecast.sensor, _NAME), *_numbers(row), _held(forecast))
    return (
        *map(Text, plains),
        _outcome(forecast),
        Text(bars(row.values, min(row.values), max(row.values))),
    )


def bars(values: Iterable[float], least: float, most: float) -> str:
    """Values within bounds as bars, one character each, the latest of what is too much for a line."""
    step = (most - least) / (len(_BARS) - 1) or 1.0
    return "".join(_BARS[round((value - least) / step)] for value in list(values)[-_WIDEST:])


def _numbers(row: Row) -> tuple[str, str, str]:
    """Now, ahead, and the interval, with as many digits as the size of the numbers asks for."""
    forecast = row.forecast
    size = max(map(abs, (*row.values, forecast.mean)))
    form = ".1f" if 1 <= size < 1e6 or not size else ".3g"
    interval = "warming up"
    if forecast.lower is not None and forecast.upper is not None:
        interval = f"{forecast.lower:{form}} to {forecast.upper:{form}}"
    return f"{forecast.value:{form}}", f"{forecast.mean:{form}}", interval


def _outcome(forecast: Forecast) -> Text:
    if not forecast.held:
        return Text("")
    return Text("held", "green") if forecast.held[-1] else Text("missed", "red")


def _held(forecast: Forecast) -> str:
    if forecast.coverage is None:
        return "none yet"
    hits = round(forecast.coverage * forecast.outcomes)
    lately = "" if forecast.lately is None else f", {forecast.lately:.0%} lately"
    return f"{hits} of {forecast.outcomes} ({forecast.coverage:.0%}{lately})"
