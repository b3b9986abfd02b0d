"""`rxml serve module:app`."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from rxml.cli.failure import CommandError, kind
from rxml.cli.log import log_to_terminal
from rxml.cli.target import load
from rxml.cli.workers import Place, Ready
from rxml.errors import PortTakenError
from rxml.http import App, JsonFormatter
from rxml.http.logs import access
from rxml.http.siblings import Siblings

if TYPE_CHECKING:
    import argparse

    from rxml.http import Server


def serve(options: argparse.Namespace) -> int:
    """Serve the App until SIGINT or SIGTERM, then drain; the exit status.

    Raises:
        CommandError: it is no App.
        PortTakenError: something else listens there.
    """
    if options.as_worker is not None:
        return _work(options, msgspec.json.decode(options.as_worker, type=Place))
    app = _loaded(options)
    app.run(
        host=options.host,
        port=options.port,
        ready=lambda server: print(
            f"serving {server.url}: {shown_paths(app)}. Ctrl-C ends.", flush=True
        ),
    )
    return 0


def _work(options: argparse.Namespace, place: Place) -> int:
    """Serve as one of several."""
    os.set_inheritable(place.leash, False)  # noqa: FBT003 - the name says it
    app = _loaded(options)
    host = app.host if place.host is None else place.host
    port = app.port if place.port is None else place.port
    if place.first:
        _require_free(host, port)
    siblings = Siblings(place.folder, place.number, place.count, place.admin_port)
    ready = partial(_tell, app, place.leash)
    app.run(host=host, port=port, ready=ready, siblings=siblings)
    return 0


def _loaded(options: argparse.Namespace) -> App:
    app = load(options.target)
    if not isinstance(app, App):
        raise CommandError(f"{options.target} is {kind(app)}, not an rxml.http.App")
    if options.log == "json":
        _log_json()
    else:
        log_to_terminal()
    return app


def _log_json() -> None:
    """Everything that rxml says, and every answer, as a line of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("rxml")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    access.setLevel(logging.INFO)


def _require_free(host: str, port: int) -> None:
    """Workers share their port with whoever else means to: make sure that nobody else is there.

    Raises:
        PortTakenError: something else listens there.
    """
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            taken = f"port {port} of {host} is taken: {error.strerror}"
            raise PortTakenError(error.errno or errno.EADDRINUSE, taken) from error


def _tell(app: App, leash: int, server: Server) -> None:
    """Tell the parent where this worker listens; if the parent is gone, drain."""
    parent = socket.socket(fileno=leash)
    parent.setblocking(False)  # noqa: FBT003 - the name says it
    said = Ready(server.host, server.port, server.admin_port, server.url, shown_paths(app))
    parent.send(msgspec.json.encode(said) + b"\n")
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(parent)
        parent.close()
        server.ask_to_end()

    loop.add_reader(parent, gone)


def shown_paths(app: App) -> str:
    """The paths of an app, each with what it is for."""
    known = [f"{each.path} ({each.scope})" for each in app.endpoints]
    return ", ".join(known) or "no endpoint yet"
