"""`rxml demo`: the forecasting service of `examples/forecast.py`, with a table in the terminal."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Any, Final

import rxml
from rxml import operators as ops
from rxml.cli.failure import CommandError
from rxml.cli.log import log_to_terminal
from rxml.cli.signals import signals
from rxml.http import App

if TYPE_CHECKING:
    from rxml.cli.board import Board
    from rxml.flow.flowable import Flowable
    from rxml.http.server import Server

UNATTENDED: Final = 60.0
"""Seconds after which the demo ends by itself when nobody watches and no time was given."""

_ENDING: Final = (signal.SIGINT, signal.SIGTERM)


def demo(host: str, port: int, seconds: float | None) -> None:
    """Serve forecasts of this machine's load until the time is over or Ctrl-C; then say how well they held."""
    try:
        from rxml.cli import forecast
        from rxml.cli.board import Board
    except ModuleNotFoundError as error:
        raise CommandError(f"needs {error.name}: install rxml with the extra `demo`") from error
    watched = sys.stdout.isatty()
    if seconds is None and not watched:
        seconds = UNATTENDED
    log_to_terminal()
    app = App(host=host, port=port)
    asyncio.run(_serve(app, forecast.build(app), Board(watched=watched), seconds))


async def _serve(app: App, live: Flowable[Any], board: Board, seconds: float | None) -> None:
    watched = live.pipe(ops.take_until(_ending(seconds)), ops.do_action(board.show))
    async with app.serve() as server:
        board.announce(server.url)
        with board.live():
            await watched.run()
        _cut_on_signals(server)
    board.conclude()


def _ending(seconds: float | None) -> Flowable[Any]:
    """One element as soon as the demo is to end: the time is over, or a signal came."""
    if seconds is None:
        return signals(*_ENDING)
    return rxml.merge(signals(*_ENDING), rxml.timer(seconds))


def _cut_on_signals(server: Server) -> None:
    """While clients are let finish, a further Ctrl-C cuts them; the loop takes its handlers along when it ends."""
    loop = asyncio.get_running_loop()
    for number in _ENDING:
        loop.add_signal_handler(number, server.hurry)
